"""What the schemas of the real service refuse is refused, though it could be guessed what is meant."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.compute.servers.helpers import LATEST, ROOT, Site
from tests.harness import Client


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("adminPass", None), ("key_name", None), ("max_count", None), ("host", " "),
        ("metadata", {"k": 1}), ("description", "x" * 256), ("accessIPv4", ""),
        ("trusted_image_certificates", []), ("networks", [{"port": ""}]),
    ],
)  # fmt: skip
def test_a_new_server_is_described_as_the_schema_says(site: Site, name: str, value: Any) -> None:
    body = {"server": {**site.body()["server"], name: value}}
    answer = site.admin.post(f"{ROOT}/servers", body, headers=LATEST)
    assert answer.status == 400, answer.body


def test_hints_are_an_object_or_left_out(site: Site) -> None:
    for name in ("os:scheduler_hints", "OS-SCH-HNT:scheduler_hints"):
        message = site.member.post(f"{ROOT}/servers", {**site.body(), name: None}).expect(400)
        assert f"{name}. Value: None" in message["badRequest"]["message"]


def test_acts_take_no_null_where_a_value_is_meant(site: Site) -> None:
    server = site.build()["id"]

    def act(**body: Any) -> int:
        url = f"{ROOT}/servers/{server}/action"
        return site.member.post(url, body, headers=LATEST).status

    assert act(rebuild={"imageRef": site.image, "adminPass": None}) == 400
    assert act(rebuild={"imageRef": site.image, "preserve_ephemeral": None}) == 400
    assert act(rebuild={"imageRef": site.image, "trusted_image_certificates": []}) == 400
    assert act(rescue={"adminPass": None}) == 400
    assert act(trigger_crash_dump="now") == 400
    assert site.member.put(f"{ROOT}/servers/{server}/tags/red", {}, headers=LATEST).status == 400
    assert site.show(server)["status"] == "ACTIVE"


def test_a_rebuilt_server_tells_its_user_data_once(site: Site) -> None:
    server = site.build()["id"]
    body = {"rebuild": {"imageRef": site.image, "user_data": "aGk="}}
    url = f"{ROOT}/servers/{server}/action"
    shown = site.admin.post(url, body, headers=LATEST).expect(202)["server"]
    assert shown["user_data"] == "aGk="
    assert "OS-EXT-SRV-ATTR:user_data" not in shown


@pytest.mark.parametrize(
    "query",
    ["servers?tags=", "flavors?sort_key=", "os-server-groups?limit=", "os-hypervisors?limit=1&limit=2",
     "os-migrations?limit=", "os-migrations?limit=-1", "os-migrations?changes-since=yesterday",
     "os-migrations?limit=1&limit=2"],
)  # fmt: skip
def test_queries_are_as_the_schema_says(site: Site, query: str) -> None:
    assert site.admin.get(f"{ROOT}/{query}", headers=LATEST).status == 400


def test_older_versions_are_no_laxer(site: Site) -> None:
    older = {"OpenStack-API-Version": "compute 2.35"}
    assert site.member.get(f"{ROOT}/images?limit=0", headers=older).status == 400
    for more in ({"forced_down": " "}, {"disabled_reason": ""}):
        body = {"host": "host", "binary": "nova-compute", **more}
        assert site.admin.put(f"{ROOT}/os-services/enable", body, headers=older).status == 400


def test_queries_of_what_a_server_has(site: Site) -> None:
    url = f"{ROOT}/servers/{site.build()['id']}"

    def ask(query: str, client: Client = site.member) -> int:
        return client.get(f"{url}/{query}", headers=LATEST).status

    assert ask("os-volume_attachments?limit=1&offset=0") == 200
    assert ask("os-migrations?changes-since=2026-01-01T00:00:00Z") == 404
    for bad in ("limit=", "offset=-1", "since=x"):
        assert ask(f"os-volume_attachments?{bad}") == 400
    assert ask("os-instance-actions?limit=1&limit=2") == 400


def test_a_group_has_rules_or_leaves_them_out(site: Site) -> None:
    for rules in (None, {"max_server_per_host": None}):
        group = {"name": "g", "policy": "anti-affinity", "rules": rules}
        answer = site.member.post(
            f"{ROOT}/os-server-groups", {"server_group": group}, headers=LATEST
        )
        assert answer.status == 400
