"""A cloud with the sovereignty API, its operator, and a customer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from andromede.services import sovereignty
from tests.contract.sovereignty.declaring import Declaring
from tests.harness import TestCloud, caller


@pytest.fixture
def declared_cloud(tmp_path: Path, database_url: str) -> Iterator[TestCloud]:
    cloud = TestCloud(tmp_path, [sovereignty.SERVICE], url=database_url)
    yield cloud
    cloud.close()


@pytest.fixture
def world(declared_cloud: TestCloud) -> Declaring:
    operator = declared_cloud.as_(caller("admin", "ops"), private=True)
    return Declaring(operator, declared_cloud.as_(caller("reader")))
