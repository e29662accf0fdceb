"""openstacksdk, unchanged, over HTTP: the judge of what the image API answers."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import openstack
import pytest
import uvicorn
from keystoneauth1 import session
from keystoneauth1.token_endpoint import Token
from openstack.connection import Connection

from tests.contract.image.helpers import qcow2
from tests.harness import TestCloud, caller

pytestmark = [
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK50Warning"),
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK60Warning"),
]


class Server(uvicorn.Server):
    """A server in a thread, whose signals are the tests'."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@pytest.fixture
def address(cloud: TestCloud) -> Iterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(uvicorn.Config(cloud.public, lifespan="off", log_config=None, ws="none"))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    cloud.public.base_url = base
    yield base
    server.should_exit = True
    thread.join(30)
    listener.close()


@pytest.fixture
def sdk(address: str) -> Iterator[Connection]:
    token = msgspec.json.encode(caller()).decode()
    bearer = session.Session(auth=Token(f"{address}/image", token))
    connection = openstack.connection.Connection(
        session=bearer, image_endpoint_override=f"{address}/image", image_api_version="2"
    )
    yield connection
    connection.close()


def test_a_file_becomes_an_image_and_comes_back(sdk: Any, tmp_path: Path) -> None:
    source, target = tmp_path / "tiny.qcow2", tmp_path / "saved"
    source.write_bytes(qcow2(7 << 20))
    with source.open("rb") as file:
        made = sdk.image.create_image(
            "tiny", data=file, disk_format="qcow2", container_format="bare", min_ram=64,
            tags=["small"], os_distro="debian", validate_checksum=False, allow_duplicates=True,
        )  # fmt: skip
    shown = sdk.image.get_image(made.id)
    assert shown.status == "active"
    assert shown.checksum == hashlib.md5(source.read_bytes()).hexdigest()
    assert (shown.min_ram, shown.os_distro, shown.tags) == (64, "debian", ["small"])
    assert shown.virtual_size == 7 << 20
    sdk.image.download_image(made.id, output=str(target))
    assert target.read_bytes() == source.read_bytes()


def test_find_list_change_and_delete(sdk: Any) -> None:
    for name in ("a", "b", "c"):
        sdk.image.create_image(name, disk_format="raw", container_format="bare", allow_duplicates=1)
    assert [each.name for each in sdk.image.images(sort="name:asc", limit=1)] == ["a", "b", "c"]
    found = sdk.image.find_image("b", ignore_missing=False)
    changed = sdk.image.update_image(
        found, name="bb", visibility="community", is_protected=True, colour="red"
    )
    assert (changed.name, changed.visibility) == ("bb", "community")
    assert sdk.image.get_image(found.id).properties["colour"] == "red"
    sdk.image.add_tag(found, "new")
    assert sdk.image.get_image(found.id).tags == ["new"]
    sdk.image.remove_tag(found, "new")
    with pytest.raises(openstack.exceptions.ForbiddenException, match="protected"):
        sdk.image.delete_image(found)
    sdk.image.update_image(found.id, is_protected=False)
    sdk.image.update_image(found.id, is_hidden=True)
    assert sdk.image.find_image("bb").id == found.id
    sdk.image.delete_image(found.id, ignore_missing=False)
    assert sdk.image.find_image("bb") is None


def test_a_refusal_reads_well(sdk: Any) -> None:
    with pytest.raises(openstack.exceptions.NotFoundException) as caught:
        sdk.image.get_image("00000000-0000-4000-8000-000000000000")
    assert "No image found with ID 00000000" in str(caught.value)
    made = sdk.image.create_image("x", disk_format="qcow2", container_format="bare")
    answer = made.upload(sdk.image, data=qcow2(backing=512))
    with pytest.raises(openstack.exceptions.BadRequestException, match="backing file"):
        openstack.exceptions.raise_from_response(answer)


def test_discovery_and_what_the_service_says_of_itself(sdk: Any, address: str) -> None:
    assert sdk.image.get_image_schema().properties["disk_format"]["enum"][1] == "ami"
    assert sdk.image.get_images_schema().name == "images"
    assert sdk.image.get_import_info().import_methods["value"] == ["glance-direct", "web-download"]
    token = msgspec.json.encode(caller()).decode()
    bearer = session.Session(auth=Token(f"{address}/image", token))
    versions = bearer.get(f"{address}/image/", raise_exc=False, redirect=False)
    assert versions.status_code == 300
    stores = bearer.get(f"{address}/image/v2/info/stores").json()["stores"]
    assert [each["id"] for each in stores] == ["local"]


def test_a_stream_without_a_length(sdk: Any) -> None:
    made = sdk.image.create_image("s", disk_format="raw", container_format="bare")
    pieces = (bytes([number]) * 300_000 for number in range(10))
    answer = sdk.image.put(
        f"/images/{made.id}/file",
        data=pieces,
        headers={"Content-Type": "application/octet-stream"},
    )
    assert answer.status_code == 204
    assert sdk.image.get_image(made.id).size == 3_000_000
