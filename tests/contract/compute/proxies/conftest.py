"""A site, and its personae as clients from before microversion 2.36."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.compute.proxies.older import Older
from tests.contract.compute.servers.helpers import open_cloud, open_site
from tests.harness import TestCloud


@pytest.fixture
def cloud(tmp_path: Path, database_url: str) -> Iterator[TestCloud]:
    cloud = open_cloud(tmp_path, database_url)
    yield cloud
    cloud.close()


@pytest.fixture
def older(cloud: TestCloud) -> Older:
    return Older(open_site(cloud))
