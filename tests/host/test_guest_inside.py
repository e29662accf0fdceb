"""What a guest finds when it looks around itself: its address, its metadata, its devices."""

from __future__ import annotations

import json

import pytest

from tests.host.guest_cloud import USER_DATA_SAYS, Guests

pytestmark = pytest.mark.host
OPENSTACK = "curl -sf http://169.254.169.254/openstack/latest"
EC2 = "curl -sf http://169.254.169.254/latest/meta-data"
ASK = """
printf '#!/bin/sh\\n[ "$1" = bound ] && set >/tmp/lease\\n' >/tmp/show && chmod +x /tmp/show
sudo udhcpc -f -q -n -i eth0 -O mtu -O staticroutes -O search -s /tmp/show >/dev/null 2>&1
cat /tmp/lease
"""


def test_dhcp_gives_address_routes_resolver_and_mtu(guests: Guests) -> None:
    delta = guests.delta
    told = dict(line.split("=", 1) for line in delta.ssh(ASK).splitlines() if "=" in line)
    lease = {name: value.strip("'") for name, value in told.items()}
    assert (lease["ip"], lease["mask"], lease["mtu"]) == (delta.fixed, "24", "1400")
    assert lease["staticroutes"] == "169.254.169.254/32 10.1.0.2 0.0.0.0/0 10.1.0.1"
    assert lease["dns"].split() == [guests.world.outside.address]
    assert lease["hostname"] == "delta"
    routes = delta.ssh("ip route").splitlines()
    assert any(line.startswith("default via 10.1.0.1 dev eth0") for line in routes)
    assert any(line.startswith("169.254.169.254 via 10.1.0.2 dev eth0") for line in routes)
    assert delta.ssh("cat /sys/class/net/eth0/mtu") == "1400"
    assert "inet 10.1.0.10/24" in delta.ssh("ip -4 addr show eth0")
    resolver = delta.ssh("cat /etc/resolv.conf").splitlines()
    assert resolver[1:] == [f"nameserver {guests.world.outside.address}"]
    alpha = guests.alpha.ssh("cat /etc/resolv.conf").splitlines()
    assert alpha[1:] == ["nameserver 10.0.0.2"]  # its subnet names none: the network's own


@pytest.mark.parametrize("name", ["alpha", "beta"])
def test_a_guest_is_what_its_owner_asked_for(guests: Guests, name: str) -> None:
    """By config drive (alpha) and by the metadata service (beta): name, key, user data, once."""
    server = guests.named(name)
    assert server.ssh("hostname") == name
    public = server.ssh("cat .ssh/authorized_keys")
    listed = server.tenant.api.call("compute", "GET", "/os-keypairs/key")["keypair"]
    assert public == listed["public_key"]
    assert server.ssh("cat /var/user-data-ran") == USER_DATA_SAYS
    source = "config drive" if name == "alpha" else "http://169.254.169.254"
    assert f"metadata from {source}" in server.console()


def test_metadata_in_the_format_of_openstack(guests: Guests) -> None:
    alpha = guests.alpha
    document = json.loads(alpha.ssh(f"{OPENSTACK}/meta_data.json"))
    shown = alpha.shown()
    assert document["uuid"] == alpha.id
    assert document["project_id"] == shown["tenant_id"]
    assert (document["name"], document["hostname"]) == ("alpha", "alpha.openstacklocal")
    assert document["meta"] == {"role": "first"}
    assert list(document["public_keys"]) == ["key"]
    network = json.loads(alpha.ssh(f"{OPENSTACK}/network_data.json"))
    mac = alpha.ssh("cat /sys/class/net/eth0/address")
    assert [link["ethernet_mac_address"] for link in network["links"]] == [mac]
    assert USER_DATA_SAYS in alpha.ssh(f"{OPENSTACK}/user_data")
    versions = alpha.ssh("curl -sf http://169.254.169.254/openstack/").splitlines()
    assert "2018-08-27" in versions
    assert versions[-1] == "latest"
    assert alpha.ssh(f"{OPENSTACK}/absent; echo $?").endswith("22")  # curl: an error was answered


def test_metadata_in_the_format_of_ec2(guests: Guests) -> None:
    beta = guests.beta
    wanted = ("local-ipv4", "public-ipv4", "local-hostname", "security-groups", "ami-launch-index")
    answers = beta.ssh("; echo; ".join(f"{EC2}/{each}" for each in wanted)).splitlines()
    assert answers[:2] == [beta.fixed, beta.floating]
    assert answers[2].partition(".")[0] == "beta"
    assert answers[3:] == ["quiet", "0"]
    key = beta.ssh(f"{EC2}/public-keys/0/openssh-key")
    assert key.strip() == beta.ssh("cat .ssh/authorized_keys")
    assert beta.ssh(f"{EC2}/instance-id").startswith("i-")


def test_the_config_drive_says_what_the_service_says(guests: Guests) -> None:
    alpha = guests.alpha
    alpha.ssh("sudo mount -o ro -t iso9660 $(sudo findfs LABEL=config-2) /mnt")
    try:
        for name in ("meta_data.json", "network_data.json"):
            served = json.loads(alpha.ssh(f"{OPENSTACK}/{name}"))
            held = json.loads(alpha.ssh(f"cat /mnt/openstack/latest/{name}"))
            for each in (served, held):
                each.pop("random_seed", None)  # fresh each time
            # the password is on the server's own drive, never on the wire of its network
            assert "admin_pass" not in served
            assert bool(held.pop("admin_pass", "")) == (name == "meta_data.json")
            assert held == served
        served, held = (
            alpha.ssh(f"{OPENSTACK}/user_data"),
            alpha.ssh("cat /mnt/openstack/latest/user_data"),
        )
        assert held == served
    finally:
        alpha.ssh("sudo umount /mnt")


def test_devices_are_virtio(guests: Guests) -> None:
    alpha = guests.alpha
    disks = alpha.ssh("lsblk -b -n -d -o NAME,SIZE,RO").splitlines()
    assert disks[0].split() == ["vda", str(1 << 30), "0"]
    assert disks[1].split()[::2] == ["vdb", "1"]  # the config drive, read-only
    drivers = "for each in vda vdb; do readlink /sys/block/$each/device/driver; done"
    assert all(line.endswith("/virtio_blk") for line in alpha.ssh(drivers).splitlines())
    assert alpha.ssh("readlink /sys/class/net/eth0/device/driver").endswith("/virtio_net")
    assert alpha.ssh("cat /sys/class/misc/hw_random/rng_current") == "virtio_rng.0"
    assert alpha.ssh("sudo head -c 32 /dev/hwrng | wc -c") == "32"
    assert int(alpha.ssh("cat /proc/sys/kernel/random/entropy_avail")) >= 256
    grown = int(alpha.ssh("df -m / | awk 'NR == 2 { print $2 }'"))
    assert grown > 800  # the file system grew with the flavor's disk
