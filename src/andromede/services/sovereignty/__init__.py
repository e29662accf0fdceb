"""Sovereignty: where projects' data may lie, and the log of who touched them."""

from typing import Any

from andromede.http.errors import plain_shape
from andromede.http.operation import Service
from andromede.services.sovereignty import placed
from andromede.services.sovereignty.routes import OPERATIONS
from andromede.sovereignty.findings import reevaluate
from andromede.work import Lifecycle, Reconciler

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
EVERY = 5.0  # seconds between looks at whether something changed


def reconcilers(world: Any) -> list[Reconciler]:
    """What a worker does for sovereignty again and again: it weighs everything placed anew when
    the world, a policy or the day changed."""

    home = world.cloud.config.place.site

    def weigh() -> None:
        reevaluate.run(world.cloud.database, placed.sources(home), {placed.GRANT: placed.grants})

    return [Reconciler(name="re-evaluation", every=EVERY, run=weigh)]
