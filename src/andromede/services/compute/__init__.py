"""Compute: servers and what they are made of, as the compute API v2.1 speaks of them.

Each noun is a package that exports its OPERATIONS and its CONVERSIONS; this module puts them
together.
"""

from typing import Any

from andromede.http.errors import compute_shape
from andromede.http.operation import Service
from andromede.services.compute import (
    discovery,
    flavors,
    hosts,
    keypairs,
    limits,
    proxies,
    servers,
)
from andromede.services.compute.versions import MICROVERSIONS, bind
from andromede.work import Lifecycle, Reconciler

NOUNS = (discovery, flavors, keypairs, servers, limits, hosts, proxies)

_upgrade, _downgrade = bind(each for noun in NOUNS for each in noun.CONVERSIONS)

SERVICE = Service(
    name="compute",
    type="compute",
    mount="/compute",
    catalog_path="/v2.1",
    operations=[operation for noun in NOUNS for operation in noun.OPERATIONS],
    error_shape=compute_shape,
    exact_paths=True,
    aliases={"v2": "v2.1"},
    microversions=MICROVERSIONS,
    upgrade=_upgrade,
    downgrade=_downgrade,
)
LIFECYCLES: list[Lifecycle] = [*servers.LIFECYCLES]


def reconcilers(world: Any) -> list[Reconciler]:
    """What a worker does for compute again and again."""
    return [*servers.reconcilers(world), hosts.recorder(world)]
