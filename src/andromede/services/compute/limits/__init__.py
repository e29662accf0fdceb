"""What a project may have of compute and what it has: quota sets, quota classes and limits."""

from andromede.services.compute.limits.routes import OPERATIONS
from andromede.services.compute.limits.versions import CONVERSIONS

__all__ = ["CONVERSIONS", "OPERATIONS"]
