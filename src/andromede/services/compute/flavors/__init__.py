"""Flavors: the sizes a server can have, who may use them, and what they promise beyond size."""

from andromede.services.compute.flavors.routes import OPERATIONS
from andromede.services.compute.flavors.versions import CONVERSIONS

__all__ = ["CONVERSIONS", "OPERATIONS"]
