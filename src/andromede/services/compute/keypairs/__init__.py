"""Key pairs: the public SSH keys that users put into their servers. Private keys are never kept."""

from andromede.services.compute.keypairs.routes import OPERATIONS
from andromede.services.compute.keypairs.versions import CONVERSIONS

__all__ = ["CONVERSIONS", "OPERATIONS"]
