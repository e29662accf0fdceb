"""The tiny image is reproducible, boots from its own disk, and does what a cloud's tests need."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from andromede.guest.build import BuiltImage, build_tiny
from tests.host.tiny_guest import MACHINE, Guest, Network, config_drive, wait_for

pytestmark = pytest.mark.host

TOOLS = (
    "ip awk grep lsblk blkid mount mkfs.ext4 mkfs.vfat dd md5sum cut ping ping6 curl nc "
    "udhcpc sudo /bin/kill"
)
PASSWORD = 'aB3 $x"y'
INSTANCE = "6f0a2c1e-5d3b-4f0e-9a55-3f7a1c9b8d21"
USER_DATA = "#!/bin/sh\necho user data speaks\nhostname >/root/ran\n"

Boot = Callable[..., Guest]


@pytest.fixture
def boot(image: BuiltImage, tmp_path: Path) -> Iterator[Boot]:
    """Starts guests that are stopped when the test ends; the first call makes the key."""
    guests: list[Guest] = []
    generate = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test"]
    subprocess.run([*generate, "-f", tmp_path / "key"], check=True)

    def start(**options: object) -> Guest:
        guests.append(Guest(tmp_path, image.qcow2, **options))  # type: ignore[arg-type]
        return guests[-1]

    yield start
    for guest in guests:
        guest.stop()


def metadata(folder: Path, instance: str = INSTANCE) -> dict[str, object]:
    keys = {"other/one": "ssh-ed25519 AAAA/+ other", "mine": (folder / "key.pub").read_text()}
    return {"uuid": instance, "hostname": "web-1.example.org", "public_keys": keys, "meta": {}}


def drive(folder: Path) -> Path:
    return config_drive(folder, metadata(folder), USER_DATA)


def offered(guest: Guest) -> str:
    """The methods of login that the SSH server names to one who has none."""
    options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"]
    options += ["PreferredAuthentications=none"]
    words = [part for option in options for part in ("-o", option)]
    done = subprocess.run(
        ["ssh", *words, "-p", str(guest.port), f"cirros@{guest.address}", "true"],
        capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    return done.stderr.strip().rpartition(": ")[2]


def hashed(guest: Guest) -> str:
    """What the guest keeps of its user's password."""
    return guest.ssh("sudo awk -F: '$1 == \"cirros\" { print $2 }' /etc/shadow")


def test_two_builds_give_the_same_bytes(image: BuiltImage, cache: Path, tmp_path: Path) -> None:
    again = build_tiny(tmp_path / "again", cache_dir=cache)
    assert again.sha256 == image.sha256
    assert again.provenance.read_bytes() == image.provenance.read_bytes()
    assert image.size < 60 * 1024 * 1024


def test_first_boot_with_config_drive(boot: Boot, tmp_path: Path) -> None:
    guest = boot(drive=drive(tmp_path))
    seconds = guest.wait_banner()
    assert seconds < 15, f"the SSH banner took {seconds:.1f} s"
    assert guest.ssh("hostname; id -un; sudo -n id -u") == "web-1\ncirros\n0"
    assert guest.ssh("grep -c ssh-ed25519 .ssh/authorized_keys") == "2"
    console = guest.wait_console("user data ended with status 0")
    assert "user data speaks" in console
    assert "andromede-guest: ready in" in console
    assert len(console.splitlines()) > 10
    guest.wait_console("web-1 login:")
    assert guest.ssh("sudo cat /root/ran") == "web-1"
    assert int(guest.ssh("df -m / | awk 'NR == 2 { print $2 }'")) > 900
    assert guest.ssh("lsblk -lbn -o SIZE /dev/vda | head -n 1") == str(1024**3)


def test_tools_that_tests_of_clouds_use(boot: Boot, tmp_path: Path) -> None:
    guest = boot(drive=drive(tmp_path))
    guest.wait_banner()
    for tool in TOOLS.split():
        assert guest.ssh(f"command -v {tool}")
    address = guest.ssh("ip -o -4 addr show eth0 | awk '{ print $4 }'")
    assert address == "10.0.2.15/24"
    assert "default via 10.0.2.2" in guest.ssh("ip route")
    assert guest.ssh("cat /etc/resolv.conf") == "nameserver 10.0.2.3"
    guest.ssh("set -eu -o pipefail; ping -c1 -w5 10.0.2.2; ping6 -c1 -w5 ::1")
    guest.ssh("dd if=/dev/zero of=/tmp/v bs=1M count=34 && mkfs.vfat /tmp/v && mkfs.ext4 -F /tmp/v")
    guest.ssh("sudo mount -o loop /tmp/v /mnt && sudo umount /mnt")
    assert guest.ssh("sudo blkid -t LABEL=config-2 -o device") == "/dev/vdb"
    assert guest.ssh("blkid -L config-2 -o device") == "/dev/vdb"  # nobody's right needed
    guest.ssh("sudo mount /dev/vdb /mnt && grep -q uuid /mnt/openstack/latest/meta_data.json")
    assert "eth0" in guest.ssh("tr '\\0' ' ' </proc/$(cat /var/run/udhcpc.eth0.pid)/cmdline")
    guest.ssh("sudo /bin/kill -USR1 $(cat /var/run/udhcpc.eth0.pid)")
    assert guest.ssh("ls /etc/dropbear") == "ecdsa\ned25519"


def test_nobody_gets_in_by_a_password_that_was_not_set(boot: Boot, tmp_path: Path) -> None:
    guest = boot(drive=drive(tmp_path))
    guest.wait_banner()
    assert hashed(guest) == "*"
    assert offered(guest) == "Permission denied (publickey)."


def test_the_servers_password_opens_its_console(boot: Boot, tmp_path: Path) -> None:
    told = {**metadata(tmp_path), "admin_pass": PASSWORD}
    guest = boot(drive=config_drive(tmp_path, told, USER_DATA))
    guest.wait_banner()
    guest.wait_console("password set for cirros")
    kept = hashed(guest)
    salt = kept.split("$")[2]
    assert guest.ssh(f"mkpasswd -m sha512 -S '{salt}' '{PASSWORD}'") == kept
    assert offered(guest) == "Permission denied (publickey)."


def test_everybody_gets_in_where_that_was_asked(cache: Path, tmp_path: Path) -> None:
    built = build_tiny(tmp_path, cache_dir=cache, public_password=True)
    assert built.qcow2.name == "tiny-test.qcow2"
    assert "gocubsgo" in built.provenance.read_text()
    guest = Guest(tmp_path, built.qcow2, netdev=",restrict=on")
    try:
        guest.wait_banner()
        assert offered(guest) == "Permission denied (publickey,password)."
        assert "password 'gocubsgo'" in guest.wait_console("tiny login:")
    finally:
        guest.stop()


def test_power_button(boot: Boot, tmp_path: Path) -> None:
    guest = boot(drive=drive(tmp_path), disk_size="96M", memory=96)
    guest.wait_console("user data ended")
    pressed = time.monotonic()
    guest.qmp("system_powerdown")
    guest.process.wait(timeout=10)
    assert time.monotonic() - pressed < 3
    log = guest.console()
    assert "power button pressed" in log
    again = boot(drive=tmp_path / "config.iso", memory=96)
    again.wait_banner()
    assert "recovery" not in again.ssh("sudo dmesg")
    assert "user data speaks" not in again.console()


def test_metadata_service_without_config_drive(boot: Boot, tmp_path: Path) -> None:
    (tmp_path / "meta_data.json").write_text(json.dumps(metadata(tmp_path)))
    (tmp_path / "user_data").write_text(USER_DATA)
    stub = Path(__file__).with_name("metadata_stub.py")
    answer = f"guestfwd=tcp:169.254.169.254:80-cmd:{sys.executable} {stub} {tmp_path}"
    guest = boot(netdev=f",net=169.254.169.0/24,{answer}")
    guest.wait_banner()
    assert guest.ssh("hostname") == "web-1"
    assert "metadata from http" in guest.wait_console("user data ended with status 0")


DHCP = (
    "--interface=tap0",
    "--bind-interfaces",
    "--no-ping",
    "--enable-ra",
    "--dhcp-range=fd77::,ra-only",
    "--dhcp-range=10.77.0.50,10.77.0.50,120",
    "--dhcp-option=26,1400",
    "--dhcp-option=6,192.0.2.53",
    "--dhcp-option=15,example.org",
    "--dhcp-option=121,169.254.169.254/32,10.77.0.1,10.88.0.0/16,10.77.0.1,0.0.0.0/0,10.77.0.1",
)


DHCP6 = ("--dhcp-range=fd77::50,fd77::50,64,120", "--dhcp-option=option6:dns-server,[fd77::53]")
STATELESS = ("--dhcp-range=fd77::,ra-stateless", DHCP6[1])
HAS = "fd77::5054:ff:fe12:3456/64"


@pytest.fixture
def network(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Network]:
    """A network of the options in the parameter, else of DHCP's."""
    options = getattr(request, "param", DHCP)
    made = Network(f"tiny-{os.getpid()}", tmp_path, options)
    yield made
    made.close()


def test_lease_of_a_real_network(boot: Boot, network: Network, tmp_path: Path) -> None:
    latest = tmp_path / "openstack" / "latest"
    latest.mkdir(parents=True)
    (latest / "meta_data.json").write_text(json.dumps(metadata(tmp_path)))
    guest = boot(network=network)
    guest.address = "10.77.0.50"
    assert "metadata from http" in guest.wait_console("ready in")
    routes = guest.ssh("ip route")
    assert "default via 10.77.0.1" in routes
    assert "10.88.0.0/16 via 10.77.0.1" in routes
    assert "169.254.169.254 via 10.77.0.1" in routes
    assert guest.ssh("cat /etc/resolv.conf") == "search example.org\nnameserver 192.0.2.53"
    assert guest.ssh("cat /sys/class/net/eth0/mtu") == "1400"
    wait_for("an advertised address", lambda: HAS in guest.ssh("ip -6 addr show eth0"))
    guest.ssh("ping6 -c1 -w5 fd77::1 && curl -fsS http://169.254.169.254/openstack/latest/")
    announced = guest.console().count("eth0 has")
    guest.ssh("sudo /bin/kill -USR1 $(cat /var/run/udhcpc.eth0.pid)")
    wait_for("the renewal", lambda: guest.console().count("eth0 has") > announced)
    assert guest.ssh("ip route") == routes


@pytest.mark.parametrize(
    ("network", "address"),
    [
        ((*(each for each in DHCP if "ra-only" not in each), *DHCP6), "fd77::50/128"),
        ((*(each for each in DHCP if "ra-only" not in each), *STATELESS), HAS),
    ],
    ids=["stateful", "stateless"],
    indirect=["network"],
)
def test_dhcpv6_where_the_router_says_so(
    boot: Boot, network: Network, address: str, tmp_path: Path
) -> None:
    latest = tmp_path / "openstack" / "latest"
    latest.mkdir(parents=True)
    (latest / "meta_data.json").write_text(json.dumps(metadata(tmp_path)))
    guest = boot(network=network)
    guest.address = "10.77.0.50"
    guest.wait_console("ready in")
    wait_for("the address", lambda: address in guest.ssh("ip -6 addr show eth0"))
    resolver = ["search example.org", "nameserver 192.0.2.53", "nameserver fd77::53"]
    wait_for("the server", lambda: guest.ssh("cat /etc/resolv.conf").splitlines() == resolver)
    guest.ssh("ping6 -c1 -w5 fd77::1")


def test_ssh_starts_without_metadata(boot: Boot) -> None:
    guest = boot(netdev=",restrict=on")
    assert guest.wait_banner() < 25


def test_the_disk_that_the_firmware_booted_is_root(image: BuiltImage, tmp_path: Path) -> None:
    """As in a rescue: two disks of one image, the second in order is the one to boot."""
    command = ["qemu-system-x86_64", *MACHINE, "-m", "128", "-display", "none"]
    command += ["-serial", f"file:{tmp_path}/console.log"]
    for index, (name, size) in enumerate((("a", "1G"), ("b", "2G"))):
        create = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", str(image.qcow2)]
        subprocess.run([*create, str(tmp_path / name), size], check=True)
        command += ["-drive", f"if=none,id={name},format=qcow2,file={tmp_path / name}"]
        command += ["-device", f"virtio-blk-pci,drive={name},bootindex={2 - index}"]
    process = subprocess.Popen(command)
    console = tmp_path / "console.log"
    try:
        wait_for("the root", lambda: console.exists() and "root is" in console.read_text())
        assert "root is /dev/vdb2" in console.read_text()
    finally:
        process.kill()
        process.wait()


def test_hotplugged_network_card_gets_an_address(boot: Boot, tmp_path: Path) -> None:
    guest = boot(drive=drive(tmp_path))
    guest.wait_banner()
    guest.qmp("netdev_add", type="user", id="more", net="10.9.0.0/24")
    guest.qmp("device_add", driver="virtio-net-pci", id="card", netdev="more", bus="spare")
    guest.wait_console("eth1 has 10.9.0.15/24")
    guest.ssh("test -s /var/run/udhcpc.eth1.pid")
    guest.qmp("device_del", id="card")

    def gone() -> bool:
        guest.qmp("query-status")
        return "DEVICE_DELETED" in guest.events

    wait_for("the guest to let the card go", gone)
    assert guest.ssh("ls /var/run/udhcpc.eth1.pid 2>/dev/null || true") == ""


def test_hotplugged_disk_appears_and_goes(boot: Boot, tmp_path: Path) -> None:
    guest = boot(drive=drive(tmp_path))
    guest.wait_banner()
    spare = tmp_path / "spare.raw"
    with spare.open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    node = {
        "driver": "raw",
        "node-name": "spare",
        "file": {"driver": "file", "filename": str(spare)},
    }
    guest.qmp("blockdev-add", **node)
    guest.qmp("device_add", driver="virtio-blk-pci", id="volume", drive="spare", bus="spare")
    wait_for("the disk", lambda: "vdc" in guest.ssh("lsblk -dn -o NAME"))
    guest.ssh("sudo mkfs.ext4 -q /dev/vdc && sudo mount /dev/vdc /mnt && sudo umount /mnt")
    guest.qmp("device_del", id="volume")
    wait_for("the disk's end", lambda: "vdc" not in guest.ssh("lsblk -dn -o NAME"))
