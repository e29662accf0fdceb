"""A cloud with the image service, on each kind of database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from andromede.services import image
from tests.harness import TestCloud


@pytest.fixture
def cloud(tmp_path: Path, database_url: str) -> Iterator[TestCloud]:
    cloud = TestCloud(tmp_path, [image.SERVICE], image.LIFECYCLES, url=database_url)
    yield cloud
    cloud.close()
