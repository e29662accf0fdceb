"""A cloud with everything a server needs: image, network, compute, and a console to read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.compute.servers.helpers import Site, open_cloud, open_site
from tests.harness import TestCloud


@pytest.fixture
def cloud(tmp_path: Path, database_url: str) -> Iterator[TestCloud]:
    cloud = open_cloud(tmp_path, database_url)
    yield cloud
    cloud.close()


@pytest.fixture
def site(cloud: TestCloud) -> Site:
    return open_site(cloud)
