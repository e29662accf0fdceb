"""Endpoints that operators add to the catalog: clients are sent only where their project's data may
be; and nobody takes the place of what the cloud serves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from andromede.services import compute
from andromede.services.identity import passwords
from tests.contract.identity.conftest import CHEAP
from tests.contract.identity.making import V3, make
from tests.contract.sovereignty.taking import Taking, taking
from tests.harness import Client
from tests.policies import set_allowed_sites

URL = "https://elsewhere.test/v1/$(project_id)s"


@pytest.fixture
def it(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Taking]:
    monkeypatch.setattr(passwords, "_hasher", CHEAP)
    with taking(tmp_path, database_url, compute.SERVICE) as made:
        yield made


def seen(client: Client) -> dict[str, list[str]]:
    """The regions of each type in the catalog."""
    found = client.get(f"{V3}/auth/catalog").expect(200)["catalog"]
    return {each["type"]: [one["region_id"] for one in each["endpoints"]] for each in found}


def endpoint(client: Client, service: str, **more: Any) -> str:
    body = {"service_id": service, "interface": "public", "url": URL, **more}
    return str(make(client, "endpoint", **body)["id"])


def test_clients_are_sent_where_their_projects_data_may_be(it: Taking) -> None:
    admin, ada = it.admin(), it.client("ada")
    swift = make(admin, "service", type="object-store", name="swift")["id"]
    made = endpoint(admin, swift, region="north")
    own = seen(ada)["compute"]
    assert seen(ada)["object-store"] == ["north"]
    it.world.cloud.database.transact(lambda c: set_allowed_sites(c, it.ids["web"], ["paris"]))
    assert seen(ada)["object-store"] == []
    assert seen(ada)["compute"] == own  # what is there is a matter of findings
    assert seen(it.client("boss", "ops", private=True))["object-store"] == ["north"]
    one = f"{V3}/endpoints/{made}"
    for site, regions in (("oslo", []), ("paris", ["north"]), (7, [])):
        changed = admin.patch(one, {"endpoint": {"site": site}}).expect(200)["endpoint"]
        assert changed["site"] == site
        assert seen(ada)["object-store"] == regions


def test_everybody_reads_where_clients_are_sent(it: Taking) -> None:
    admin = it.admin()
    swift = make(admin, "service", type="object-store", name="swift")["id"]
    made = endpoint(admin, swift)
    link = f"{V3}/OS-EP-FILTER/projects/{it.ids['web']}/endpoints/{made}"
    assert admin.put(link).status == 204
    leaves = it.client("ada").get("/sovereignty/v1/log/leaves").expect(200)["leaves"]
    told = {each["action"]: (each["subject"], each["project_id"]) for each in leaves}
    assert told["identity:service:create"] == (swift, "*")
    assert told["identity:endpoint:create"] == (made, "*")
    assert told["identity:project_endpoint:add"] == (made, it.ids["web"])


def test_nobody_takes_the_place_of_what_is_served(it: Taking) -> None:
    admin = it.admin()
    (nova,) = admin.get(f"{V3}/services?type=compute").expect(200)["services"]
    double = {"service": {"type": "compute", "name": "nova"}}
    assert "take its place" in admin.post(f"{V3}/services", double).expect(403)["error"]["message"]
    swift = make(admin, "service", type="object-store", name="swift")["id"]
    as_ours = {"service": {"type": "compute"}}
    assert admin.patch(f"{V3}/services/{swift}", as_ours).status == 403
    assert admin.patch(f"{V3}/services/{swift}", {"service": {"name": "store"}}).status == 200
    body = {"service_id": nova["id"], "interface": "public", "url": URL}
    for more in ({}, {"region_id": "RegionOne"}, {"region": "RegionOne"}):
        refused = admin.post(f"{V3}/endpoints", {"endpoint": {**body, **more}}).expect(403)
        assert "another region" in refused["error"]["message"]
    elsewhere = f"{V3}/endpoints/{endpoint(admin, nova['id'], region='north')}"
    assert admin.patch(elsewhere, {"endpoint": {"region_id": "RegionOne"}}).status == 403
    other = f"{V3}/endpoints/{endpoint(admin, swift)}"
    assert admin.patch(other, {"endpoint": {"service_id": nova["id"]}}).status == 403
    assert admin.patch(elsewhere, {"endpoint": {"enabled": False}}).status == 200
    (mine, *_) = admin.get(f"{V3}/endpoints?service_id={nova['id']}").expect(200)["endpoints"]
    assert (
        admin.patch(f"{V3}/endpoints/{mine['id']}", {"endpoint": {"enabled": True}}).status == 200
    )
