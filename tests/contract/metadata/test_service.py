"""The metadata service over a whole cloud: who asks is found by network and address, and what is
answered is true now."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from andromede.http.dispatch import Dispatcher
from andromede.services import compute, image, network
from andromede.services.compute import api
from andromede.services.compute.metadata import SERVICE, routes
from tests.contract.compute.servers.helpers import Site, open_site
from tests.harness import Answer, Client, TestCloud, caller

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl me"
SERVICES = [compute.SERVICE, image.SERVICE, network.SERVICE]
LIVES = [*compute.LIFECYCLES, *image.LIFECYCLES, *network.LIFECYCLES]


class Guests:
    """Asks as the edge does for the guest at an address."""

    def __init__(self, cloud: TestCloud) -> None:
        app = Dispatcher(cloud.cloud, [SERVICE], listener="internal", base_url="http://internal")
        self.edge = Client(app, None)

    def ask(self, site: Site, address: str, path: str, **more: Any) -> Answer:
        query = urlencode(
            {"network": more.pop("network", site.network), "address": address, "path": path}
        )
        method = "POST" if "body" in more else "GET"
        return self.edge.call(method, f"/internal/v1/metadata?{query}", **more)

    def text(self, site: Site, address: str, path: str) -> str:
        answer = self.ask(site, address, path)
        assert answer.status == 200, answer.body
        return answer.body.decode()


@pytest.fixture
def cloud(tmp_path: Path, database_url: str) -> Iterator[TestCloud]:
    cloud = TestCloud(tmp_path, SERVICES, LIVES, url=database_url)
    cloud.database.transact(api.bootstrap)
    yield cloud
    cloud.close()


@pytest.fixture
def site(cloud: TestCloud) -> Site:
    site = open_site(cloud)
    keypair = {"keypair": {"name": "mine", "public_key": KEY}}
    site.member.post("/compute/v2.1/os-keypairs", keypair).expect(201)
    return site


@pytest.fixture
def guests(cloud: TestCloud) -> Guests:
    return Guests(cloud)


def address_of(server: dict[str, Any]) -> str:
    return next(each["addr"] for each in server["addresses"]["net"] if each["version"] == 4)


def test_a_server_reads_its_own_facts(site: Site, guests: Guests) -> None:
    script = base64.b64encode(b"#!/bin/sh\necho hello").decode()
    server = site.build(key_name="mine", user_data=script, metadata={"role": "web"})
    address = address_of(server)
    meta = json.loads(guests.text(site, address, "/openstack/latest/meta_data.json"))
    assert meta["uuid"] == server["id"]
    assert meta["public_keys"] == {"mine": KEY}
    assert meta["keys"] == [{"name": "mine", "type": "ssh", "data": KEY}]
    assert meta["hostname"] == "vm.openstacklocal"
    assert meta["meta"] == {"role": "web"}
    assert meta["project_id"] == "p1"
    assert meta["availability_zone"] == "nova"
    assert len(base64.b64decode(meta["random_seed"])) == 512
    assert guests.text(site, address, "/openstack/latest/user_data") == "#!/bin/sh\necho hello"
    ec2 = "/2009-04-04/meta-data"
    assert guests.text(site, address, f"{ec2}/local-ipv4") == address
    assert guests.text(site, address, f"{ec2}/public-keys/0/openssh-key") == KEY
    assert guests.text(site, address, f"{ec2}/security-groups") == "default"
    assert guests.text(site, address, f"{ec2}/instance-type") == "t1.tiny"
    data = json.loads(guests.text(site, address, "/openstack/latest/network_data.json"))
    assert [each["type"] for each in data["networks"]] == ["ipv4_dhcp"]
    assert data["links"][0]["id"] == data["networks"][0]["link"]


def test_what_changed_is_read_at_once(site: Site, guests: Guests) -> None:
    server = site.build()
    address = address_of(server)
    path = f"/compute/v2.1/servers/{server['id']}/metadata"
    site.member.post(path, {"metadata": {"colour": "red"}}).expect(200)
    meta = json.loads(guests.text(site, address, "/openstack/latest/meta_data.json"))
    assert meta["meta"] == {"colour": "red"}
    seeds = {
        json.loads(guests.text(site, address, "/openstack/latest/meta_data.json"))["random_seed"]
        for _ in range(2)
    }
    assert len(seeds) == 2


def test_the_domain_is_the_networks(site: Site, guests: Guests) -> None:
    network = f"/network/v2.0/networks/{site.network}"
    site.member.put(network, {"network": {"dns_domain": "corp.example."}}).expect(200)
    address = address_of(site.build(name="web"))
    assert guests.text(site, address, "/latest/meta-data/hostname") == "web.corp.example"


def test_tagged_cards_are_told(site: Site, guests: Guests) -> None:
    server = site.build(networks=[{"uuid": site.network, "tag": "green"}])
    address = address_of(server)
    meta = json.loads(guests.text(site, address, "/openstack/latest/meta_data.json"))
    (device,) = meta["devices"]
    assert device["tags"] == ["green"]
    assert device["mac"] == server["addresses"]["net"][0]["OS-EXT-IPS-MAC:mac_addr"]


def test_others_are_not_found(site: Site, guests: Guests, cloud: TestCloud) -> None:
    server = site.build()
    address = address_of(server)
    meta = "/openstack/latest/meta_data.json"
    assert guests.ask(site, "10.0.0.250", meta).status == 404
    assert guests.ask(site, "nonsense", meta).status == 404
    elsewhere = "00000000-0000-4000-8000-000000000000"
    assert guests.ask(site, address, meta, network=elsewhere).status == 404
    assert guests.ask(site, address, "/openstack/latest/nothing").status == 404
    assert guests.edge.get("/internal/v1/metadata").status == 400
    site.member.delete(f"/compute/v2.1/servers/{server['id']}").expect(204)
    cloud.settle()
    assert guests.ask(site, address, meta).status == 404


def test_the_password_is_set_once(site: Site, guests: Guests) -> None:
    address = address_of(site.build())
    path = "/openstack/latest/password"
    assert guests.text(site, address, path) == ""
    assert guests.ask(site, address, path, body={"password": "x" * 1021}).status == 400
    assert guests.ask(site, address, path, body={"password": "c2VjcmV0"}).status == 200
    assert guests.text(site, address, path) == "c2VjcmV0"
    assert guests.ask(site, address, path, body={"password": "other"}).status == 409
    assert guests.text(site, address, path) == "c2VjcmV0"
    for wrong, status in (
        ("/openstack/latest/user_data", 405), ("/latest/meta-data/", 405),
        ("/openstack/2012-08-10/password", 404),
    ):  # fmt: skip
        assert guests.ask(site, address, wrong, body={"password": "x"}).status == status


def test_a_network_that_asks_too_often_waits(
    site: Site, guests: Guests, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = address_of(site.build())
    monkeypatch.setattr(routes, "share", routes.Share(0.0, 2.0))
    statuses = [guests.ask(site, address, "/latest/").status for _ in range(3)]
    assert statuses == [200, 200, 429]


def test_the_public_side_has_no_such_service(site: Site) -> None:
    for client in (site.member, site.admin):
        assert client.get("/internal/v1/metadata?network=a&address=b&path=/").status == 404


def test_the_config_drive_says_the_same(site: Site, cloud: TestCloud, guests: Guests) -> None:
    server = site.build(config_drive=True, key_name="mine")
    files = cloud.engine.servers[server["id"]].config_drive
    assert files is not None
    drive = json.loads(files["openstack/latest/meta_data.json"])
    read = json.loads(guests.text(site, address_of(server), "/openstack/latest/meta_data.json"))
    drive.pop("random_seed")
    read.pop("random_seed")
    assert len(drive.pop("admin_pass")) == 12  # the drive alone says it
    assert drive == read
    without = site.build(config_drive=False)
    assert cloud.engine.servers[without["id"]].config_drive is None


def test_another_project_with_the_same_addresses_reads_its_own(
    site: Site, cloud: TestCloud, guests: Guests
) -> None:
    mine = site.build()
    other = cloud.as_(caller(project="p2"), **{"OpenStack-API-Version": "compute 2.96"})
    made = other.post("/network/v2.0/networks", {"network": {"name": "net"}}).expect(201)
    theirs = made["network"]["id"]
    subnet = {"network_id": theirs, "cidr": "10.0.0.0/24", "ip_version": 4}
    other.post("/network/v2.0/subnets", {"subnet": subnet}).expect(201)
    fixed = {"port": {"network_id": theirs, "fixed_ips": [{"ip_address": address_of(mine)}]}}
    port = other.post("/network/v2.0/ports", fixed).expect(201)["port"]["id"]
    public = {"visibility": "public"}
    path = f"/image/v2/images/{site.image}"
    patch = [{"op": "replace", "path": "/visibility", "value": public["visibility"]}]
    site.admin.patch(
        path, patch, headers={"content-type": "application/openstack-images-v2.1-json-patch"}
    ).expect(200)
    server = site.build(other, networks=[{"port": port}])
    assert address_of(server) == address_of(mine)
    meta = "/openstack/latest/meta_data.json"
    assert json.loads(guests.text(site, address_of(mine), meta))["uuid"] == mine["id"]
    answer = guests.ask(site, address_of(mine), meta, network=theirs)
    assert answer.json["uuid"] == server["id"]
