"""A customer's project with something in it, owners declared, and its evidence."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import rfc8785

from andromede.sovereignty.evidence import archive, bundle, manifest, verify
from andromede.sovereignty.log import note
from andromede.sovereignty.log.examine import Examination
from tests.contract.compute.helpers import have_projects
from tests.contract.image.helpers import active
from tests.contract.sovereignty.declaring import V1, Declaring
from tests.contract.sovereignty.log_world import LOG
from tests.harness import Client, TestCloud, caller


@dataclass
class Evident:
    """Project p1 with an image; the site is declared in France, run by `op`, held by `state`."""

    cloud: TestCloud
    operator: Client
    member: Client
    world: Declaring

    def archive(self, client: Client | None = None, project: str = "p1") -> bytes:
        answer = (client or self.member).get(f"{V1}/evidence/{project}")
        assert answer.status == 200, answer.body[:500]
        assert answer.headers["content-type"] == "application/zip"
        return answer.body

    def document(self, **more: Any) -> Any:
        return json.loads(files(self.archive(**more))["evidence.json"])

    @property
    def key(self) -> str:
        return str(self.cloud.as_().get(f"{LOG}/keys").expect(200)["log"])

    def examine(self, data: bytes, key: str | None = None) -> Examination:
        found = Examination(note.verifier(key or self.key))
        verify.examine(found, "evidence.zip", data)
        found.conclude()
        return found

    def seal(self) -> Any:
        return self.member.get(f"{V1}/seal").expect(200)["seal"]

    def levels(self) -> dict[str, int | None]:
        return {each["id"]: each["level"] for each in self.seal()["criteria"]}


def files(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def signed(world: Evident, inside: dict[str, bytes]) -> bytes:
    """An archive of these files with a manifest that the cloud's key signed."""
    held = {name: inside[name] for name in manifest.FILES}
    keys = world.cloud.cloud.keys
    assert keys is not None
    note = keys.sign_manifest("p1", manifest.digests(held))
    return archive.pack({**held, manifest.NAME: note.encode()})


def lie(world: Evident, change: Callable[[dict[str, Any]], object]) -> bytes:
    """An archive with a changed document, its pages made anew, all of it signed."""
    inside = files(world.archive())
    document = json.loads(inside["evidence.json"])
    change(document)
    content = rfc8785.dumps(document)
    return signed(world, {**inside, "evidence.json": content, **bundle.pages(content)})


def evident(cloud: TestCloud) -> Evident:
    operator = cloud.as_(caller("admin", "ops", user="operator"), private=True)
    member = cloud.as_(caller())
    have_projects(cloud, "p1", "p2", "ops")
    world = Declaring(operator, member)
    world.entity("state", kind="public-body")
    world.entity("op")
    world.hold("state", "op", 100)
    world.site("local", operator="op", place="Paris", latitude=48.85, longitude=2.35)
    active(member)
    cloud.number()
    return Evident(cloud, operator, member, world)
