"""What guests read: every format and every dated version, as cloud-init expects them."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from andromede.services.compute.metadata import ec2, openstack
from andromede.services.compute.metadata.guest import Guest, Key
from andromede.services.compute.metadata.render import config_drive_files, is_password, render

SEED = bytes(range(256)) * 2
NETWORK = {"links": [{"id": "tap1"}], "networks": [], "services": []}
GUEST = Guest(
    id="5c1f9f2c-0000-4000-8000-000000000001",
    number=31,
    project_id="p1",
    name="My Server",
    hostname="my-server.openstacklocal",
    image_id="0123abcd-0000-4000-8000-000000000002",
    flavor="t1.tiny",
    zone="nova",
    reservation_id="r-abcdefgh",
    launch_index=2,
    key=Key(name="mine", kind="ssh", data="ssh-ed25519 AAAA me"),
    meta={"role": "web"},
    user_data=b"#!/bin/sh\n\xff",
    groups=("default", "web"),
    local_ipv4="10.0.0.5",
    public_ipv4="172.24.4.9",
    tags=(("fa:16:3e:00:00:01", "green"),),
    network=NETWORK,
)
BARE = Guest(
    id="s", number=1, project_id="p", name="n", hostname="n.d", image_id="i", flavor="f", zone="z",
    reservation_id="r",
)  # fmt: skip


def text(path: str, guest: Guest = GUEST) -> str:
    return render(guest, path, SEED).body.decode()


def meta(version: str, guest: Guest = GUEST) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(text(f"/openstack/{version}/meta_data.json", guest))
    return made


def test_versions_are_listed() -> None:
    assert text("/").split("\n") == [*ec2.VERSIONS, "latest"]
    assert text("/ec2/") == text("/") == text("//")
    assert text("/openstack").split("\n") == [*openstack.VERSIONS, "latest"]
    assert text("/openstack/") == text("/openstack")


@pytest.mark.parametrize(
    ("version", "documents"),
    [
        ("2012-08-10", "meta_data.json user_data"),
        ("2013-04-04", "meta_data.json user_data password"),
        ("2013-10-17", "meta_data.json user_data password vendor_data.json"),
        ("2015-10-15", "meta_data.json user_data password vendor_data.json network_data.json"),
        ("latest", "meta_data.json user_data password vendor_data.json network_data.json "
                   "vendor_data2.json"),
    ],
)  # fmt: skip
def test_documents_came_with_their_versions(version: str, documents: str) -> None:
    assert text(f"/openstack/{version}").split("\n") == documents.split()
    assert "user_data" not in text(f"/openstack/{version}/", BARE).split("\n")


def test_the_newest_meta_data_says_everything() -> None:
    seed = base64.b64encode(SEED).decode()
    assert meta("latest") == {
        "uuid": GUEST.id,
        "meta": {"role": "web"},
        "public_keys": {"mine": "ssh-ed25519 AAAA me"},
        "keys": [{"name": "mine", "type": "ssh", "data": "ssh-ed25519 AAAA me"}],
        "hostname": "my-server.openstacklocal",
        "name": "My Server",
        "launch_index": 2,
        "availability_zone": "nova",
        "random_seed": seed,
        "project_id": "p1",
        "devices": [
            {"type": "nic", "mac": "fa:16:3e:00:00:01", "bus": "none", "address": "none",
             "tags": ["green"], "vf_trusted": False}
        ],
        "dedicated_cpus": [],
    }  # fmt: skip
    assert meta("latest") == meta(openstack.VERSIONS[-1])


def test_older_meta_data_says_less() -> None:
    assert "random_seed" not in meta("2012-08-10")
    assert "random_seed" in meta("2013-04-04")
    assert "project_id" not in meta("2013-10-17")
    assert "devices" not in meta("2015-10-15")
    assert "vf_trusted" not in meta("2016-06-30")["devices"][0]
    assert "dedicated_cpus" not in meta("2018-08-27")


def test_what_a_server_has_not_is_left_out() -> None:
    bare = meta("latest", BARE)
    assert not {"meta", "public_keys", "keys"} & set(bare)
    with pytest.raises(KeyError):
        text("/openstack/latest/user_data", BARE)
    assert text("/latest/", BARE) == "meta-data/"
    assert "public-keys/" not in text("/latest/meta-data/", BARE)


def test_the_other_documents() -> None:
    assert render(GUEST, "/openstack/latest/user_data", SEED).body == b"#!/bin/sh\n\xff"
    assert json.loads(text("/openstack/latest/network_data.json")) == NETWORK
    assert json.loads(text("/openstack/latest/vendor_data.json")) == {}
    assert json.loads(text("/openstack/latest/vendor_data2.json")) == {"static": {}}
    kinds = {
        name: render(GUEST, f"/openstack/latest/{name}", SEED).media_type
        for name in ("meta_data.json", "user_data", "vendor_data.json")
    }
    assert kinds["meta_data.json"] == kinds["vendor_data.json"] == "application/json"
    assert kinds["user_data"].startswith("text/plain")


@pytest.mark.parametrize(
    "path",
    [
        "/openstack/2011-01-01", "/openstack/2012-08-10/vendor_data.json",
        "/openstack/latest/meta_data.json/x", "/openstack/latest/nothing", "/2001-01-01",
        "/openstack/content/0000", "/latest/meta-data/nothing", "/latest/meta-data/public-keys/1",
        "/latest/meta-data/hostname/x", "/latest/meta-data/public-keys/0/_name",
        "/1.0/meta-data/local-hostname", "/2007-08-29/meta-data/block-device-mapping/",
        "/2007-12-15/meta-data/placement/", "/etc/passwd", "/../../etc/passwd",
        "/latest/meta-data/security-groups/default",
    ],
)  # fmt: skip
def test_what_is_not_there_is_refused(path: str) -> None:
    with pytest.raises(KeyError):
        text(path)


def test_ec2_lists_branches_with_a_slash() -> None:
    assert text("/latest").split("\n") == ["meta-data/", "user-data"]
    assert text("/latest/meta-data").split("\n") == [
        "ami-id", "ami-launch-index", "ami-manifest-path", "block-device-mapping/", "hostname",
        "instance-action", "instance-id", "instance-type", "local-hostname", "local-ipv4",
        "placement/", "public-hostname", "public-ipv4", "public-keys/", "reservation-id",
        "security-groups",
    ]  # fmt: skip
    assert text("/latest/meta-data/public-keys/") == "0=mine"
    assert text("/latest/meta-data/public-keys/0/") == "openssh-key"
    assert text("/latest/meta-data/block-device-mapping/") == "ami\nroot"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("ami-id", "ami-0123abcd"),
        ("ami-launch-index", "2"),
        ("instance-id", "i-0000001f"),
        ("instance-type", "t1.tiny"),
        ("hostname", "my-server.openstacklocal"),
        ("local-hostname", "my-server.openstacklocal"),
        ("local-ipv4", "10.0.0.5"),
        ("public-ipv4", "172.24.4.9"),
        ("placement/availability-zone", "nova"),
        ("public-keys/0/openssh-key", "ssh-ed25519 AAAA me"),
        ("security-groups", "default\nweb"),
        ("reservation-id", "r-abcdefgh"),
        ("block-device-mapping/root", "/dev/vda"),
        ("block-device-mapping/ami", "vda"),
    ],
)
def test_ec2_leaves(path: str, value: str) -> None:
    for version in ("latest", "2009-04-04", "ec2/2009-04-04"):
        assert text(f"/{version}/meta-data/{path}") == value


def test_ec2_grew_with_its_versions() -> None:
    assert "local-hostname" not in text("/1.0/meta-data/")
    assert "public-ipv4" in text("/2007-01-19/meta-data/")
    assert "instance-type" not in text("/2007-03-01/meta-data/")
    assert "placement/" in text("/2008-02-01/meta-data/")
    assert "instance-action" not in text("/2008-02-01/meta-data/")
    assert render(GUEST, "/latest/user-data", SEED).body == GUEST.user_data


def test_the_password_has_a_path_of_its_own() -> None:
    assert is_password("/openstack/latest/password")
    assert is_password("/openstack/2013-04-04/password/")
    assert not is_password("/latest/password")
    assert not is_password("/openstack/latest/user_data")
    for path in ("/openstack/2012-08-10/password", "/openstack/nothing/password"):
        with pytest.raises(KeyError):
            is_password(path)
    with pytest.raises(KeyError):
        text("/openstack/latest/password")


def test_the_config_drive_has_upstreams_layout() -> None:
    files = config_drive_files(GUEST, SEED)
    names = {name.partition("/")[0] for name in files}
    assert names == {"ec2", "openstack"}
    assert {name.split("/")[1] for name in files if name.startswith("ec2")} == {
        "2009-04-04", "latest"}  # fmt: skip
    assert {name.split("/")[1] for name in files if name.startswith("openstack")} == {
        *openstack.VERSIONS, "latest"}  # fmt: skip
    assert sorted(name for name in files if "/latest/" in name) == [
        "ec2/latest/meta-data.json",
        "ec2/latest/user-data",
        "openstack/latest/meta_data.json",
        "openstack/latest/network_data.json",
        "openstack/latest/user_data",
        "openstack/latest/vendor_data.json",
        "openstack/latest/vendor_data2.json",
    ]
    assert files["openstack/latest/user_data"] == files["ec2/latest/user-data"] == GUEST.user_data
    assert json.loads(files["openstack/latest/meta_data.json"]) == meta("latest")
    drive = json.loads(files["ec2/2009-04-04/meta-data.json"])
    assert drive["public-keys"] == {"0": {"openssh-key": "ssh-ed25519 AAAA me"}}
    assert drive["block-device-mapping"]["root"] == "/dev/vda"
    assert not any("user" in name for name in config_drive_files(BARE, SEED))
