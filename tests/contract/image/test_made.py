"""Images that the cloud makes of servers' disks: filled once, whatever comes between."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from andromede.engine.protocol import EngineError
from andromede.services import image
from andromede.services.image import api, store
from andromede.services.image.data import files
from tests.contract.image.helpers import qcow2
from tests.harness import TestCloud


@pytest.fixture
def cloud(tmp_path: Path, database_url: str) -> Iterator[TestCloud]:
    cloud = TestCloud(tmp_path, [image.SERVICE], image.LIFECYCLES, url=database_url)
    yield cloud
    cloud.close()


@pytest.fixture
def source(tmp_path: Path) -> Iterator[int]:
    path = tmp_path / "disk"
    path.write_bytes(qcow2())
    descriptor = os.open(path, os.O_RDWR)
    yield descriptor
    os.close(descriptor)


def reserve(cloud: TestCloud) -> str:
    return cloud.database.transact(
        lambda c: api.reserve(
            c, cloud.cloud, "p1", name="n", properties={"a": "1"}, min_disk=1, min_ram=0
        )
    )


def found(cloud: TestCloud, image_id: str) -> store.Image | None:
    with cloud.database.read() as connection:
        return store.get(connection, image_id)


def left(cloud: TestCloud, image_id: str) -> list[str]:
    return [path.name for path in cloud.paths.images.glob(f"{image_id}*")]


def test_it_is_filled_once(cloud: TestCloud, source: int) -> None:
    made = reserve(cloud)
    assert api.fill(cloud.cloud, made, source)
    shown = found(cloud, made)
    assert shown is not None
    assert (shown.status, shown.size, shown.format_found) == ("active", len(qcow2()), "qcow2")
    assert (shown.virtual_size, shown.properties) == (1 << 20, {"a": "1"})
    assert api.fill(cloud.cloud, made, source)
    assert left(cloud, made) == [made]


def test_what_is_gone_is_not_filled(cloud: TestCloud, source: int) -> None:
    made = reserve(cloud)
    cloud.database.transact(lambda c: api.discard(c, made, "req-1"))
    cloud.database.transact(lambda c: api.discard(c, made, "req-1"))
    assert not api.fill(cloud.cloud, made, source)
    assert left(cloud, made) == []


def test_somebody_else_fills_it(cloud: TestCloud, source: int) -> None:
    made = reserve(cloud)
    held = files.claim(cloud.paths.images, made)
    with pytest.raises(EngineError, match="somebody else fills it") as told:
        api.fill(cloud.cloud, made, source)
    assert not told.value.permanent
    os.close(held)
    assert api.fill(cloud.cloud, made, source)


def test_what_is_no_disk_is_refused(cloud: TestCloud, source: int) -> None:
    made = reserve(cloud)
    os.ftruncate(source, 0)
    os.pwrite(source, b"no disk", 0)
    with pytest.raises(EngineError, match=f"storing image {made}") as told:
        api.fill(cloud.cloud, made, source)
    assert told.value.permanent
    shown = found(cloud, made)
    assert shown is not None
    assert shown.status == "queued"


@pytest.mark.parametrize("when", ["before", "publish", "end"])
def test_an_image_deleted_meanwhile_leaves_nothing(
    cloud: TestCloud, source: int, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    made = reserve(cloud)
    target, name = {
        "before": (files, "claim"), "publish": (files, "publish"), "end": (store, "end_upload")
    }[when]  # fmt: skip
    real = getattr(target, name)

    def gone(*given: object) -> object:
        if when == "end":  # in its transaction
            store.delete(given[0], made)  # type: ignore[arg-type]
        else:
            cloud.database.transact(lambda c: store.delete(c, made))
        if when == "publish":
            files.remove(cloud.paths.images, made)
        return real(*given)

    monkeypatch.setattr(target, name, gone)
    assert not api.fill(cloud.cloud, made, source)
    monkeypatch.undo()
    api.clean(cloud.paths, cloud.database)
    assert left(cloud, made) == []


def test_what_is_protected_stays(cloud: TestCloud) -> None:
    made = reserve(cloud)
    shown = found(cloud, made)
    assert shown is not None
    shown.protected = True
    cloud.database.transact(lambda c: store.update(c, shown))
    cloud.database.transact(lambda c: api.discard(c, made, "req-1"))
    assert found(cloud, made) is not None


def test_only_root_gives_files_away(
    cloud: TestCloud, source: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    made = reserve(cloud)
    assert api.fill(cloud.cloud, made, source)
    assert files.whole(cloud.paths.images, made).stat().st_uid == os.getuid()
