"""A cloud with leaves, and what a customer downloads of its log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from andromede.sovereignty.log import Leaf, append
from andromede.sovereignty.log.paths import needed
from tests.harness import TestCloud, caller

LOG = "/sovereignty/v1/log"


def act(cloud: TestCloud, count: int, project: str | None = "p1", time: int | None = None) -> None:
    """Leaves of a project, as its requests would leave them."""
    more = {} if time is None else {"time": time}

    def work(connection: Any) -> None:
        for at in range(count):
            append(
                connection,
                Leaf(
                    action="test:thing:make", subject=f"{project}-{at}", request_id="req-1",
                    status=202, project_id=project, detail={"größe": at}, **more,
                ),
            )  # fmt: skip

    cloud.database.transact(work)


def download(cloud: TestCloud, folder: Path) -> Path:
    """A copy of the whole log, over HTTP and without a token."""
    reader = cloud.as_()
    folder.mkdir(parents=True)
    answer = reader.get(f"{LOG}/checkpoint")
    assert answer.status == 200
    (folder / "checkpoint").write_bytes(answer.body)
    for path in needed(int(answer.body.split(b"\n")[1])):
        answer = reader.get(f"{LOG}/{path}")
        assert answer.status == 200, path
        assert answer.headers["content-type"] == "application/octet-stream"
        target = folder / str(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(answer.body)
    return folder


def bundle(cloud: TestCloud, folder: Path, name: str = "bundle.json", query: str = "") -> Path:
    """A project's bundle, in a file."""
    answer = cloud.as_(caller("reader")).get(f"{LOG}/bundle{query}")
    assert answer.status == 200, answer.body
    path = folder / name
    path.write_bytes(answer.body)
    return path


def key(cloud: TestCloud) -> str:
    return str(cloud.as_().get(f"{LOG}/keys").expect(200)["log"])


def rewrite(path: Path, change: Any) -> Path:
    """The same document with something changed."""
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    return path
