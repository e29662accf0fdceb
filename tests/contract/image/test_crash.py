"""Uploads whose process dies: the old state or the new, never something between."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from andromede.services.image import api
from andromede.services.image.data import incoming
from andromede.services.image.store import image
from tests.contract.image.helpers import active, create, files, put, refused
from tests.harness import TestCloud, caller, unknown_id


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("point", ["claim", "begin", "write", "finish", "publish", "transact"])
def test_a_kill_at_any_instant_leaves_the_old_state(
    cloud: TestCloud, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    member = cloud.as_(caller())
    made = create(member)
    upload = kill_at(cloud, monkeypatch, made["id"], point)
    monkeypatch.undo()
    os.close(upload.descriptor)  # as the kernel does for a process that ends
    upload.descriptor = -1
    assert api.clean(cloud.paths, cloud.database) == [made["id"]]
    assert api.clean(cloud.paths, cloud.database) == []
    refused(cloud, member, made["id"], made)


@pytest.mark.parametrize("point", ["begin", "write", "finish", "publish", "transact"])
def test_after_a_kill_the_upload_may_simply_be_repeated(
    cloud: TestCloud, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    member = cloud.as_(caller())
    made = create(member)
    upload = kill_at(cloud, monkeypatch, made["id"], point)
    monkeypatch.undo()
    assert put(member, made["id"], b"too soon").status == 409
    os.close(upload.descriptor)
    upload.descriptor = -1
    assert put(member, made["id"], b"again").status == 204
    assert member.get(f"/image/v2/images/{made['id']}/file").body == b"again"
    assert files(cloud) == [made["id"]]


def kill_at(
    cloud: TestCloud, monkeypatch: pytest.MonkeyPatch, image_id: str, point: str
) -> incoming.Incoming:
    """Run an upload that dies at a point, without any of its clean-up."""
    from andromede.services.image.data import files as module

    uploads: list[incoming.Incoming] = []
    real_init, real_publish, real_claim = incoming.Incoming.__init__, module.publish, module.claim

    def init(self: incoming.Incoming, *arguments: Any) -> None:
        real_init(self, *arguments)
        uploads.append(self)

    def die(*_: Any, **__: Any) -> None:
        raise Killed

    def claim(folder: Path, wanted: str) -> int:
        uploads[0].descriptor = real_claim(folder, wanted)
        raise Killed

    def publish(folder: Path, wanted: str) -> None:
        real_publish(folder, wanted)
        raise Killed

    monkeypatch.setattr(incoming.Incoming, "__init__", init)
    monkeypatch.setattr(incoming.Incoming, "abandon", lambda self: None)
    match point:
        case "claim":
            monkeypatch.setattr(module, "claim", claim)
        case "begin":
            monkeypatch.setattr(incoming.Incoming, "write", die)
        case "write":
            monkeypatch.setattr(incoming.Incoming, "finish", die)
        case "finish":
            monkeypatch.setattr(module, "publish", die)
        case "publish":
            monkeypatch.setattr(module, "publish", publish)
        case "transact":
            monkeypatch.setattr(incoming.Incoming, "_note_end", die)
    with pytest.raises(Killed):
        put(cloud.as_(caller()), image_id, b"data")
    return uploads[0]


def test_cleaning_keeps_what_is_stored_and_removes_what_is_nobodys(cloud: TestCloud) -> None:
    member = cloud.as_(caller())
    made = active(member, b"kept")
    orphan = unknown_id()
    (cloud.paths.images / orphan).write_bytes(b"orphan")
    (cloud.paths.images / f"{made['id']}.part").write_bytes(b"left over")
    (cloud.paths.images / "README").write_bytes(b"not ours")
    assert sorted(api.clean(cloud.paths, cloud.database)) == sorted([orphan, made["id"]])
    assert files(cloud) == sorted([made["id"], "README"])
    with cloud.database.read() as connection:
        assert connection.execute(sa.select(image.c.status)).scalar() == "active"
