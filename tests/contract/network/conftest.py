"""A cloud with the network service, on each kind of database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from andromede.services import network
from tests.contract.network.kit import Net
from tests.harness import TestCloud


@pytest.fixture
def cloud(tmp_path: Path, database_url: str) -> Iterator[TestCloud]:
    cloud = TestCloud(tmp_path, [network.SERVICE], network.LIFECYCLES, url=database_url)
    yield cloud
    cloud.close()


@pytest.fixture
def net(cloud: TestCloud) -> Net:
    """The member of project p1."""
    return Net(cloud)


@pytest.fixture
def lan(net: Net) -> Any:
    """A network with one subnet, on the host."""
    network = net.network()
    net.subnet(network)
    net.cloud.settle()
    return network
