"""What a guest reads of itself: rendered here, asked for by the edge over the internal socket."""

from andromede.services.compute.metadata.routes import SERVICE

__all__ = ["SERVICE"]
