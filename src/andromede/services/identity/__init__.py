"""Identity: who is who, who may do what, and the tokens that say so, as the identity API v3 speaks
of them."""

from __future__ import annotations

from andromede.http.errors import identity_shape
from andromede.http.operation import Operation, Service
from andromede.services.identity import discovery
from andromede.services.identity.auth import routes as auth
from andromede.services.identity.messages import validation_message
from andromede.work import Lifecycle

OPERATIONS: list[Operation] = [
    *discovery.OPERATIONS,
    *auth.OPERATIONS,
]
SERVICE = Service(
    name="identity",
    type="identity",
    mount="/identity",
    catalog_path="/v3",
    operations=OPERATIONS,
    error_shape=identity_shape,
    validation_message=validation_message,
)
LIFECYCLES: list[Lifecycle] = []
