"""Images: what servers boot from, as the image API v2 speaks of them."""

from andromede.http.operation import Service
from andromede.services.image import errors
from andromede.services.image.routes import OPERATIONS
from andromede.services.image.steps import IMAGE
from andromede.work import Lifecycle

__all__ = ["LIFECYCLES", "SERVICE"]

SERVICE = Service(
    name="image",
    type="image",
    mount="/image",
    operations=OPERATIONS,
    error_shape=errors.shape,
    error_page=errors.page,
    exact_paths=True,
    exact_bodies=True,
)
LIFECYCLES: list[Lifecycle] = [IMAGE]
