"""The Debian image: the same bytes twice, and booted by the engine as a customer's server."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from andromede.cli import images
from andromede.guest.debian import build_debian
from andromede.guest.provenance import KINDS, BuiltImage
from tests.host.guest_cloud import SSH_IN, GuestCloud, Server

pytestmark = [pytest.mark.host, pytest.mark.full]

BOOT = 900.0  # seconds: two guests boot at once, where QEMU may emulate
GIB = 1 << 30
BLOCKS, MOST_FAILURES = 1000, 8  # of rngtest: about one in a thousand fails of true noise


@pytest.fixture(scope="session")
def debian(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> BuiltImage:
    return build_debian(tmp_path_factory.mktemp("debian"), cache_dir=cache)


@pytest.fixture(scope="module")
def servers(running: GuestCloud, debian: BuiltImage) -> Iterator[dict[str, Server]]:
    """Two servers of the image: one with a config drive, one that asks the metadata service."""
    images.publish(running.cloud.operator, debian.qcow2)
    tenant = running.new_tenant("debian")
    image = tenant.api.find("image", "/v2/images", "images", KINDS["debian"].title)
    assert image is not None
    router = tenant.router("edge")["id"]
    network = tenant.network("lan", "10.0.0.0/24", router)
    tenant.group("login", SSH_IN)
    asked = {
        "imageRef": image["id"], "flavorRef": "t1.medium",
        "user_data": "#cloud-config\nwrite_files:\n- path: /var/said\n  content: heard\n",
    }  # fmt: skip
    made = {
        name: tenant.server(
            name, network, f"10.0.0.{10 + number}", ["login"], config_drive=drive, **asked
        )
        for number, (name, drive) in enumerate((("drive", True), ("service", False)))
    }
    for each in made.values():
        each.user = KINDS["debian"].user
        each.wait("ACTIVE")
    for each in made.values():
        each.wait_ssh(BOOT)
    yield made
    for each in made.values():
        each.hang_up()


def test_two_builds_give_the_same_bytes(debian: BuiltImage, cache: Path, tmp_path: Path) -> None:
    again = build_debian(tmp_path / "again", cache_dir=cache)
    assert again.sha256 == debian.sha256
    assert again.provenance.read_bytes() == debian.provenance.read_bytes()


def test_provenance_names_every_package(debian: BuiltImage) -> None:
    record = json.loads(debian.provenance.read_text())
    assert record["sha256"] == debian.sha256
    named = {each["name"]: each for each in record["packages"]}
    assert {"cloud-init", "openssh-server", "rng-tools5", "linux-image-cloud-amd64"} <= set(named)
    assert all(re.fullmatch("[0-9a-f]{64}", each["sha256"]) for each in named.values())
    assert record["properties"]["image_original_user"] == "debian"


def test_the_disk_is_whole_and_holds_no_secret(debian: BuiltImage, tmp_path: Path) -> None:
    raw = tmp_path / "root"
    start = 129 << 20
    convert = ["qemu-img", "convert", "-O", "raw", str(debian.qcow2), str(tmp_path / "disk")]
    subprocess.run(convert, check=True)
    with (tmp_path / "disk").open("rb") as disk, raw.open("wb") as root:
        disk.seek(start)
        while block := disk.read(1 << 20):
            root.write(block)
    checked = subprocess.run(
        ["e2fsck", "-fn", str(raw)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout
    look = ["debugfs", "-R", "ls -p /etc/ssh", str(raw)]
    keys = subprocess.run(look, capture_output=True, text=True, check=True).stdout
    assert "sshd_config" in keys
    assert "ssh_host_" not in keys
    look = ["debugfs", "-R", "cat /etc/machine-id", str(raw)]
    assert subprocess.run(look, capture_output=True, text=True, check=True).stdout == ""


@pytest.mark.parametrize("name", ["drive", "service"])
def test_cloud_init_makes_it_the_customers(servers: dict[str, Server], name: str) -> None:
    guest = servers[name]
    assert "status: done" in guest.ssh("cloud-init status --wait")
    source = {"drive": "DataSourceConfigDrive", "service": "DataSourceOpenStack"}[name]
    assert source in guest.ssh("cat /run/cloud-init/result.json")
    assert guest.ssh("hostname") == name
    assert guest.ssh("id -un; sudo -n id -u") == "debian\n0"
    assert guest.ssh("grep -c . .ssh/authorized_keys") == "1"
    assert guest.ssh("cat /var/said") == "heard"
    assert guest.ssh("systemctl --failed --plain --no-legend") == ""
    assert "Cloud-init" in guest.console()


@pytest.mark.parametrize("name", ["drive", "service"])
def test_the_root_disk_fills_the_flavors(servers: dict[str, Server], name: str) -> None:
    guest = servers[name]
    assert int(guest.ssh("lsblk -bdn -o SIZE /dev/vda")) == 5 * GIB
    assert int(guest.ssh("df -B1 --output=size / | tail -n 1")) > 4 * GIB


def test_its_randomness_is_good(servers: dict[str, Server]) -> None:
    guest = servers["drive"]
    assert guest.ssh("cat /proc/sys/kernel/random/entropy_avail") == "256"
    assert guest.ssh("cat /sys/class/misc/hw_random/rng_current").startswith("virtio_rng")
    for source in ("/dev/random", "/dev/hwrng"):
        said = guest.ssh(f"sudo sh -c 'rngtest -c {BLOCKS} <{source}' 2>&1 || true")
        found = re.search(r"FIPS 140-2 failures: (\d+)", said)
        assert found is not None, said
        assert int(found[1]) <= MOST_FAILURES


def test_keys_of_two_servers_differ(servers: dict[str, Server]) -> None:
    keys = {each.ssh("cat /etc/ssh/ssh_host_ed25519_key.pub") for each in servers.values()}
    ids = {each.ssh("cat /etc/machine-id") for each in servers.values()}
    assert len(keys) == len(ids) == 2


def test_a_new_kernel_reaches_the_boot_loader(servers: dict[str, Server]) -> None:
    guest = servers["drive"]
    compare = "sudo cmp /boot/initrd.img-* /boot/loader/initrd && echo same"
    assert guest.ssh(compare) == "same"
    guest.ssh("sudo rm /boot/loader/initrd && sudo /etc/kernel/postinst.d/zz-boot-loader")
    assert guest.ssh(compare) == "same"
