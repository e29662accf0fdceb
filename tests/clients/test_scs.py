"""The Sovereign Cloud Stack's standard for IaaS, point by point as far as its services exist, against
a cloud on which `quickstart` did what it does before the first server."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from andromede.cli import images, quickstart
from andromede.cli.client import Session
from andromede.config import Paths
from andromede.guest.provenance import KINDS
from benchmarks.scratch import Scratch

# SCS-0103: vCPUs, GiB of memory and of disk by the flavor's name.
FLAVORS = {
    "SCS-1V-4": (1, 4, 0), "SCS-2V-8": (2, 8, 0), "SCS-4V-16": (4, 16, 0),
    "SCS-8V-32": (8, 32, 0), "SCS-1V-2": (1, 2, 0), "SCS-2V-4": (2, 4, 0), "SCS-4V-8": (4, 8, 0),
    "SCS-8V-16": (8, 16, 0), "SCS-16V-32": (16, 32, 0), "SCS-1V-8": (1, 8, 0),
    "SCS-2V-16": (2, 16, 0), "SCS-4V-32": (4, 32, 0), "SCS-1L-1": (1, 1, 0),
    "SCS-2V-4-20s": (2, 4, 20), "SCS-4V-16-100s": (4, 16, 100),
}  # fmt: skip
SECONDS = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
DAY = r"\d{4}-\d\d-\d\d"
# SCS-0102: what each property of a public image may be.
PROPERTIES = {
    "architecture": "x86_64|aarch64",
    "hw_disk_bus": "scsi|virtio|nvme",
    "os_distro": "[a-z]+",
    "os_version": r"[\d.]+",
    "image_original_user": "[a-z]+",
    "image_description": ".+",
    "image_source": "https?://.+|private",
    "image_build_date": DAY,
    "provided_until": f"none|notice|{DAY}",
    "replace_frequency": "yearly|quarterly|monthly|weekly|daily|critical_bug|never",
    "uuid_validity": f"none|notice|forever|last-\\d+|{DAY}",
}
CATALOG = {"compute", "identity", "image", "network", "placement"}


@pytest.fixture(scope="module", params=["debian", "tiny"])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A disk with nothing on it, by the name and with the provenance of one that was built."""
    folder = tmp_path_factory.mktemp("guests")
    file = folder / f"{request.param}.qcow2"
    command = ["qemu-img", "create", "-q", "-f", "qcow2", str(file), "1M"]
    subprocess.run(command, check=True)
    kind = KINDS[file.stem]
    provenance = {"source_date_epoch": 1_700_000_000, "builder_version": kind.version}
    file.with_suffix(".provenance.json").write_text(json.dumps(provenance))
    return file


@pytest.fixture(scope="module")
def tenant(running: Scratch, built: Path) -> Iterator[Session]:
    """The customer that quickstart makes; the image is public."""
    paths = Paths(running.state)
    auth = quickstart.as_operator(paths, running.config, built)
    session = quickstart.customer(paths, running.config, auth)
    yield session
    session.close()


def test_a_tenant_is_a_member_and_nothing_more(tenant: Session, running: Scratch) -> None:
    query = {"user.id": tenant.user_id, "include_names": "true"}
    found = running.operator.call("identity", "GET", "/role_assignments", None, **query)
    assert [
        (each["role"]["name"], each["scope"]["project"]["id"]) for each in found["role_assignments"]
    ] == [("member", tenant.project_id)]
    assert {"admin", "manager"}.isdisjoint(tenant.roles)
    assert "member" in tenant.roles


def test_the_mandatory_flavors_are_offered(tenant: Session) -> None:
    offered = tenant.call("compute", "GET", "/flavors/detail")["flavors"]
    by_name = {each["name"]: each for each in offered}
    assert by_name.keys() >= FLAVORS.keys()
    for name, (vcpus, memory, disk) in FLAVORS.items():
        flavor = by_name[name]
        assert (flavor["vcpus"], flavor["ram"], flavor["disk"]) == (vcpus, memory * 1024, disk)
        assert flavor["os-flavor-access:is_public"] is True
        path = f"/flavors/{flavor['id']}/os-extra_specs"
        specs = tenant.call("compute", "GET", path)["extra_specs"]
        wanted = {
            "scs:cpu-type": "crowded-core" if "L" in name else "shared-core",
            "scs:name-v1": "SCS-" + name.removeprefix("SCS-").replace("-", ":"),
            "scs:name-v2": name,
        }
        if disk:
            wanted["scs:disk0-type"] = "ssd"
        assert specs == wanted


def test_public_images_say_what_they_are(tenant: Session, built: Path) -> None:
    public = tenant.call("image", "GET", "/v2/images", None, visibility="public")["images"]
    assert built.stem in {each["name"].split()[0].lower() for each in public}
    for image in public:
        for name, pattern in PROPERTIES.items():
            assert re.fullmatch(pattern, image[name]), (image["name"], name, image.get(name))
        assert image["min_ram"] > 0
        assert image["min_disk"] > 0
        assert re.fullmatch(SECONDS, image["created_at"])
        assert image["image_build_date"] <= image["created_at"]


def test_an_image_is_offered_once(running: Scratch, tenant: Session, built: Path) -> None:
    once = images.publish(running.operator, built)
    assert images.publish(running.operator, built)["id"] == once["id"]
    assert once["image_build_date"] == "2023-11-14"


def _rule(rule: dict[str, Any]) -> tuple[object, ...]:
    names = ("direction", "ethertype", "remote_group_id", "remote_ip_prefix", "protocol")
    return tuple(rule[name] for name in names)


@pytest.mark.parametrize("used", ["used_in_default_sg", "used_in_non_default_sg"])
def test_new_groups_let_out_and_hear_their_own_alone(tenant: Session, used: str) -> None:
    path = "/v2.0/default-security-group-rules"
    rules = tenant.call("network", "GET", path)["default_security_group_rules"]
    mine = [_rule(each) for each in rules if each[used]]
    for ethertype in ("IPv4", "IPv6"):
        assert ("egress", ethertype, None, None, None) in mine
    assert {each[2] for each in mine if each[0] == "ingress"} <= {"PARENT"}


def test_the_catalog_has_what_there_is(tenant: Session) -> None:
    assert tenant.catalog.keys() >= CATALOG
