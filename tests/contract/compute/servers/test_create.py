"""What a request to create servers may say, what it leads to, and what it is refused for."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from andromede import quotas
from andromede.services.compute.servers import store
from tests.contract.compute.servers.helpers import LATEST, ROOT, Site, open_cloud, open_site
from tests.contract.image.helpers import active, create
from tests.harness import caller, unknown_id
from tests.policies import set_allowed_sites

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl a@b"


def refused(answer: Any, status: int = 400) -> str:
    kind = {400: "badRequest", 403: "forbidden", 409: "conflictingRequest"}[status]
    return str(answer.expect(status)[kind]["message"])


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that refused requests leave as it is."""
    cloud = open_cloud(tmp_path_factory.mktemp("empty"))
    yield open_site(cloud)
    cloud.close()


def nothing_is_left(site: Site) -> bool:
    ports = site.member.get("/network/v2.0/ports").expect(200)["ports"]
    servers = site.member.get(f"{ROOT}/servers").expect(200)["servers"]
    return not servers and not [each for each in ports if each["device_owner"] != "network:dhcp"]


def test_everything_asked_for_is_there(site: Site) -> None:
    site.member.post(f"{ROOT}/os-keypairs", {"keypair": {"name": "k", "public_key": KEY}})
    data = base64.b64encode(b"#!/bin/sh\n").decode()
    shown = site.build(
        name="Web Server_1", key_name="k", user_data=data, config_drive=True, tags=["a", "b", "a"],
        metadata={"role": "web"}, description="front", accessIPv4="192.0.2.1", accessIPv6="2001:db8::1",
        networks=[{"uuid": site.network, "fixed_ip": "10.0.0.77", "tag": "nic"}],
        availability_zone="nova", **{"OS-DCF:diskConfig": "AUTO"},
    )  # fmt: skip
    [address] = shown["addresses"]["net"]
    assert address["addr"] == "10.0.0.77"
    assert shown["OS-EXT-SRV-ATTR:hostname"] == "web-server-1"
    assert (shown["key_name"], shown["tags"], shown["metadata"]) == (
        "k",
        ["a", "b"],
        {"role": "web"},
    )
    assert (shown["description"], shown["config_drive"]) == ("front", "True")
    assert (shown["accessIPv4"], shown["accessIPv6"]) == ("192.0.2.1", "2001:db8::1")
    assert shown["OS-DCF:diskConfig"] == "AUTO"
    assert shown["pinned_availability_zone"] == "nova"
    assert shown["OS-EXT-SRV-ATTR:user_data"] == data
    assert shown["security_groups"] == [{"name": "default"}]
    assert shown["flavor"]["original_name"] == "t1.tiny"
    spec = site.cloud.engine.servers[shown["id"]]
    assert (spec.memory, spec.vcpus, spec.disk.size) == (128 << 20, 1, 1 << 30)
    assert spec.disk.image_id == site.image
    assert spec.config_drive is not None
    assert spec.config_drive["openstack/latest/user_data"] == b"#!/bin/sh\n"
    assert b"web-server-1.openstacklocal" in spec.config_drive["openstack/latest/meta_data.json"]
    assert KEY.encode() in spec.config_drive["openstack/latest/meta_data.json"]
    assert b'"nic"' in spec.config_drive["openstack/latest/meta_data.json"]


def test_a_servers_owner_sees_less_than_an_operator(site: Site) -> None:
    made = site.build(user_data="aGk=")
    owned = site.show(made["id"], site.member)
    hidden = {key for key in made if key not in owned}
    assert hidden == {"host_status"} | {
        f"OS-EXT-SRV-ATTR:{name}"
        for name in ("host", "hypervisor_hostname", "instance_name", "kernel_id", "ramdisk_id",
                     "launch_index", "reservation_id", "root_device_name", "user_data")
    }  # fmt: skip
    assert len(owned["hostId"]) == 56


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": ""}, "name"),
        ({"name": " a"}, "name"),
        ({"name": None}, "name"),
        ({"networks": None}, "networks"),
        ({"networks": "some"}, "networks"),
        ({"networks": [{}]}, "missing 'uuid'"),
        ({"networks": [{"uuid": "0" * 8}]}, "could not be found"),
        ({"networks": [{"port": "0" * 8}]}, "could not be found"),
        ({"networks": [{"port": "a", "fixed_ip": "10.0.0.9"}]}, "cannot be used"),
        ({"networks": [{"uuid": "0" * 8, "fixed_ip": "here"}]}, "fixed_ip"),
        ({"networks": [{"uuid": "0" * 8, "fixed_ip": ""}]}, "fixed_ip"),
        ({"networks": [{"port": "a"}, {"port": "a"}]}, "specified twice"),
        ({"flavorRef": "none"}, "Flavor none could not be found"),
        ({"flavorRef": None}, "flavorRef"),
        ({"imageRef": ""}, "imageRef"),
        ({"imageRef": None}, "imageRef"),
        ({"imageRef": "00000000-0000-0000-0000-000000000000"}, "Can not find requested image"),
        ({"key_name": "none"}, "Invalid key_name"),
        ({"user_data": "not base64!"}, "base64"),
        ({"config_drive": "perhaps"}, "config_drive"),
        ({"security_groups": [{"name": "none"}]}, "none"),
        ({"metadata": {"": "a"}}, "metadata"),
        ({"metadata": {"a": "b" * 256}}, "metadata"),
        ({"availability_zone": "elsewhere"}, "availability zone"),
        ({"min_count": 3, "max_count": 2}, "min_count must be"),
        ({"min_count": 0}, "min_count"),
        ({"max_count": 2, "hostname": "a"}, "single hostname"),
        ({"hostname": "a b"}, "hostname"),
        ({"tags": ["a/b"]}, "tags"),
        ({"tags": ["t"] * 51}, "tags"),
        ({"accessIPv4": "::1"}, "accessIPv4"),
        ({"accessIPv6": "x"}, "accessIPv6"),
        ({"trusted_image_certificates": ["a"]}, "signatures"),
        ({"personality": []}, "personality"),
        ({"OS-DCF:diskConfig": "SOME"}, "diskConfig"),
        ({"block_device_mapping": [{"volume_id": "a"}]}, "boot from an image"),
        ({"block_device_mapping_v2": [{"boot_index": 0, "source_type": "volume"}]}, "one entry"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bad_requests_are_refused_and_leave_nothing(
    empty: Site, changes: dict[str, Any], says: str
) -> None:
    assert says in refused(empty.create(**changes))
    assert nothing_is_left(empty)


def test_the_images_own_boot_entry_is_accepted(site: Site) -> None:
    entry = {
        "boot_index": 0, "uuid": site.image, "source_type": "image", "destination_type": "local",
        "delete_on_termination": True,
    }  # fmt: skip
    site.build(block_device_mapping_v2=[entry])
    for more in ([entry, entry], [{**entry, "tag": "a"}], [{**entry, "uuid": unknown_id()}]):
        assert "Block Device Mapping" in refused(site.create(block_device_mapping_v2=more))


def test_an_image_must_be_active_fit_and_be_seen(site: Site) -> None:
    queued = create(site.member)
    assert "only an active image boots" in refused(site.create(imageRef=queued["id"]))
    hungry = active(site.member, min_ram=4096)
    assert "memory is too small" in refused(site.create(imageRef=hungry["id"]))
    large = active(site.member, min_disk=50)
    assert "disk is too small" in refused(site.create(imageRef=large["id"]))
    strange = active(site.member, hw_disk_bus="floppy")
    assert "hw_disk_bus floppy" in refused(site.create(imageRef=strange["id"]))
    assert "Can not find" in refused(site.create(imageRef=f"http://images/{site.image}"))
    theirs = active(site.other)
    assert "Can not find" in refused(site.create(imageRef=theirs["id"]))
    chosen = active(site.member, hw_disk_bus="scsi", hw_vif_model="e1000")
    spec = site.cloud.engine.servers[site.build(imageRef=chosen["id"])["id"]]
    assert (spec.disk_bus, spec.nic_model) == ("scsi", "e1000")


def test_a_flavor_without_disk_takes_the_images_size(site: Site) -> None:
    flavor = {"name": "big", "vcpus": 1, "ram": 64, "disk": 0}
    made = site.admin.post(f"{ROOT}/flavors", {"flavor": flavor}).expect(200)["flavor"]
    shown = site.build(flavorRef=made["id"])
    assert site.cloud.engine.servers[shown["id"]].disk.size == 1 << 30
    swap = {**flavor, "name": "swap", "swap": 64}
    made = site.admin.post(f"{ROOT}/flavors", {"flavor": swap}).expect(200)["flavor"]
    assert "swap disk" in refused(site.create(flavorRef=made["id"]))


def test_several_servers_at_once(site: Site) -> None:
    body = {"min_count": "2", "max_count": 3, "return_reservation_id": True, "networks": "none"}
    reservation = site.create(**body).expect(202)
    assert list(reservation) == ["reservation_id"]
    site.cloud.settle()
    listed = site.admin.get(f"{ROOT}/servers/detail?all_tenants=1").expect(200)["servers"]
    assert sorted(each["name"] for each in listed) == ["vm-1", "vm-2", "vm-3"]
    attribute = "OS-EXT-SRV-ATTR:reservation_id"
    assert {each[attribute] for each in listed} == {reservation["reservation_id"]}
    numbers = {spec.number for spec in site.cloud.engine.servers.values()}
    assert len(numbers) == 3
    for networks in ([{"uuid": site.network, "fixed_ip": "10.0.0.9"}], [{"port": unknown_id()}]):
        assert "Failed to launch" in refused(site.create(max_count=2, networks=networks))


def test_networks_are_chosen_when_none_is_named(site: Site) -> None:
    for networks in ("auto", []):
        assert list(site.build(networks=networks)["addresses"]) == ["net"]
    assert site.build(networks="none")["addresses"] == {}
    assert "automatically allocate" in refused(
        site.create(site.other, networks="auto", imageRef=active(site.other)["id"])
    )
    second = {"network": {"name": "second"}}
    made = site.member.post("/network/v2.0/networks", second).expect(201)["network"]
    assert "Multiple possible networks" in refused(site.create(networks="auto"), 409)
    answer = site.create(networks=[{"uuid": made["id"]}])
    assert "requires a subnet" in refused(answer)


def test_a_port_without_an_address_is_refused(site: Site) -> None:
    body = {"port": {"network_id": site.network, "fixed_ips": []}}
    port = site.member.post("/network/v2.0/ports", body).expect(201)["port"]
    assert "requires a FixedIP" in refused(site.create(networks=[{"port": port["id"]}]))
    freed = site.member.get(f"/network/v2.0/ports/{port['id']}").expect(200)["port"]
    assert freed["device_id"] == ""


def test_a_port_that_exists_is_used_and_outlives_its_server(site: Site) -> None:
    body = {"port": {"network_id": site.network, "name": "mine"}}
    port = site.member.post("/network/v2.0/ports", body).expect(201)["port"]
    server = site.build(networks=[{"port": port["id"]}])
    assert server["addresses"]["net"][0]["addr"] == port["fixed_ips"][0]["ip_address"]
    assert "in use" in refused(site.create(networks=[{"port": port["id"]}]), 409)
    bound = site.member.get(f"/network/v2.0/ports/{port['id']}").expect(200)["port"]
    assert (bound["device_id"], bound["status"]) == (server["id"], "ACTIVE")
    assert site.member.delete(f"{ROOT}/servers/{server['id']}").status == 204
    site.cloud.settle()
    freed = site.member.get(f"/network/v2.0/ports/{port['id']}").expect(200)["port"]
    assert (freed["device_id"], freed["status"]) == ("", "DOWN")


def test_quotas_are_kept_and_said(site: Site) -> None:
    def limit(**values: int) -> None:
        site.cloud.database.transact(lambda c: quotas.set_limits(c, "compute", "p1", values))

    limit(instances=2)
    site.build()
    message = refused(site.create(min_count=2), 403)
    assert message == (
        "Quota exceeded for instances: Requested 2, but already used 1 of 2 instances"
    )
    site.create(min_count=1, max_count=5).expect(202)
    with site.cloud.database.read() as conn:
        assert store.usage(conn, "p1") == (2, 2, 256)
    limit(instances=-1, cores=2, ram=300)
    message = refused(site.create(), 403)
    assert message == (
        "Quota exceeded for cores, ram: Requested 1, 128, but already used 2, 256 of 2, 300 "
        "cores, ram"
    )
    limit(cores=-1, ram=-1, metadata_items=1)
    assert "metadata items exceeds 1" in refused(site.create(metadata={"a": "1", "b": "2"}), 403)


def test_hosts_and_hints(site: Site) -> None:
    first = site.build()
    host = first["OS-EXT-SRV-ATTR:host"]
    for name in (f"nova:{host}", f"nova:{host}:{host}"):
        assert "forced_host" in refused(site.create(availability_zone=name), 403)
    assert "forced_host" in refused(site.create(host=host), 403)
    operator = site.cloud.as_(caller("admin", "p1"), private=True, **LATEST)
    assert site.build(operator, availability_zone=f"nova:{host}")["OS-EXT-SRV-ATTR:host"] == host
    both = {"availability_zone": f"nova:{host}", "host": host}
    assert "mutually exclusive" in refused(site.create(operator, **both))
    assert "same machine" in refused(site.create(operator, host="a", hypervisor_hostname="b"))
    elsewhere = site.create(operator, host="elsewhere").expect(202)["server"]
    site.cloud.settle()
    assert "elsewhere" in site.show(elsewhere["id"])["fault"]["message"]

    def hinted(key: str = "os:scheduler_hints", **hints: Any) -> Any:
        return site.member.post(f"{ROOT}/servers", {**site.body(), key: hints})

    nowhere = hinted(same_host=unknown_id()).expect(202)["server"]["id"]
    together = hinted(same_host=first["id"]).expect(202)["server"]["id"]
    apart = hinted("OS-SCH-HNT:scheduler_hints", different_host=[first["id"]])
    alone = apart.expect(202)["server"]["id"]
    site.cloud.settle()
    assert site.status(together) == "ACTIVE"
    assert "same_host names" in site.show(nowhere)["fault"]["message"]
    fault = site.show(alone, site.member)["fault"]
    assert (fault["code"], site.status(alone)) == (500, "ERROR")
    assert fault["message"].startswith("No valid host was found. different_host")
    assert "could not be found" in refused(hinted(group=unknown_id()))
    assert "not offered" in refused(hinted(query="[]"))
    assert "server ids" in refused(hinted(same_host=3))


def test_admission_is_asked(site: Site) -> None:
    site.cloud.database.transact(lambda c: set_allowed_sites(c, "p1", ["elsewhere"]))
    assert "allowed_sites" in refused(site.create(), 403)
    assert nothing_is_left(site)


def test_readers_do_not_create_and_a_project_is_needed(site: Site) -> None:
    assert site.create(site.reader).status == 403
    system = site.cloud.as_(caller("admin", None, system=True), private=True, **LATEST)
    assert "belong to a project" in refused(site.create(system), 403)
