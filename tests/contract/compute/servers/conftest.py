"""A cloud with everything a server needs: image, network, compute, and a console to read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.compute.servers.helpers import EngineConsoles, Site, open_site
from tests.harness import TestCloud

from andromede.services import compute, image, network
from andromede.services.compute import api

SERVICES = [compute.SERVICE, image.SERVICE, network.SERVICE]
LIFECYCLES = [*compute.LIFECYCLES, *image.LIFECYCLES, *network.LIFECYCLES]


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[TestCloud]:
    cloud = TestCloud(tmp_path, SERVICES, LIFECYCLES)
    cloud.cloud.edge = EngineConsoles(cloud.engine)
    cloud.database.transact(api.bootstrap)
    yield cloud
    cloud.close()


@pytest.fixture
def site(cloud: TestCloud) -> Site:
    return open_site(cloud)
