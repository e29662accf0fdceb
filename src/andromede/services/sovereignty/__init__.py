"""Sovereignty: where projects' data may lie, and the log of who touched them."""

from andromede.http.errors import plain_shape
from andromede.http.operation import Service
from andromede.services.sovereignty.routes import OPERATIONS
from andromede.work import Lifecycle

__all__ = ["LIFECYCLES", "SERVICE"]

SERVICE = Service(
    name="sovereignty",
    type="sovereignty",
    mount="/sovereignty",
    catalog_path="/v1",
    operations=OPERATIONS,
    error_shape=plain_shape,
)
LIFECYCLES: list[Lifecycle] = []
