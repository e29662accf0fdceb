"""Asking for consoles: codes, bodies and errors at each microversion, tenancy, and what tokens show."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa

from andromede import clock
from andromede.services.compute import api as compute
from andromede.services.compute.servers.consoles import store
from tests.contract.compute.servers.helpers import ROOT, Site
from tests.harness import Client, unknown_id

BASE = "https://cloud.test"


def at(client: Client, version: str) -> Client:
    headers = {"OpenStack-API-Version": f"compute {version}"}
    return Client(client.app, client.token, headers)


def ask(
    site: Site, server: str, protocol: str = "vnc", type_: str = "novnc", *,
    client: Client | None = None,
) -> Any:  # fmt: skip
    body = {"remote_console": {"protocol": protocol, "type": type_}}
    return (client or site.member).post(f"{ROOT}/servers/{server}/remote-consoles", body)


def token_of(url: str) -> str:
    [path] = parse_qs(urlsplit(url).query)["path"]
    assert path.startswith("console/socket?token=")
    return path.partition("=")[2]


def test_a_console_is_an_address_with_a_token(site: Site) -> None:
    server = site.build()["id"]
    vnc = ask(site, server).expect(200)["remote_console"]
    serial = ask(site, server, "serial", "serial").expect(200)["remote_console"]
    assert (vnc["protocol"], vnc["type"]) == ("vnc", "novnc")
    assert (serial["protocol"], serial["type"]) == ("serial", "serial")
    assert vnc["url"].startswith(f"{BASE}:8443/console/vnc.html?path=console%2Fsocket%3Ftoken%3D")
    assert serial["url"].startswith(f"{BASE}:8443/console/serial.html?path=")
    assert token_of(vnc["url"]) != token_of(serial["url"])
    assert len(token_of(vnc["url"])) == 43
    with site.cloud.database.read() as connection:
        rows = connection.execute(sa.select(store.token)).all()
    assert len(rows) == 2
    assert token_of(vnc["url"]) not in str(rows), "the token itself is kept nowhere"


@pytest.mark.parametrize(
    ("action", "body", "page"),
    [
        ("os-getVNCConsole", {"type": "novnc"}, "vnc"),
        ("os-getSerialConsole", {"type": "serial"}, "serial"),
    ],
)
def test_the_older_actions_do_the_same_until_2_5(
    site: Site, action: str, body: dict[str, str], page: str
) -> None:
    server = site.build()["id"]
    for version in ("2.1", "2.5"):
        old = at(site.member, version)
        found = site.act(server, action, body, client=old).expect(200)["console"]
        assert found["type"] == body["type"]
        assert found["url"].startswith(f"{BASE}:8443/console/{page}.html?path=")
    site.act(server, action, body, client=at(site.member, "2.6")).expect(400)
    ask(site, server, client=at(site.member, "2.5")).expect(404)
    ask(site, server, client=at(site.member, "2.6")).expect(200)


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("os-getSPICEConsole", {"type": "spice-html5"}),
        ("os-getRDPConsole", {"type": "rdp-html5"}),
        ("os-getRDPConsole", None),
        ("os-getVNCConsole", {"type": "xvpvnc"}),
        ("os-getVNCConsole", {"type": "serial"}),
        ("os-getVNCConsole", {}),
        ("os-getVNCConsole", {"type": "novnc", "more": 1}),
        ("os-getSerialConsole", {"type": "novnc"}),
        ("os-getSPICEConsole", {"type": None}),
    ],
    ids=str,
)
def test_other_consoles_and_odd_bodies_are_refused_of_old(
    site: Site, action: str, body: Any
) -> None:
    server = site.build()["id"]
    answer = site.act(server, action, body, client=at(site.member, "2.1"))
    assert "badRequest" in answer.expect(400)


@pytest.mark.parametrize(
    ("protocol", "type_", "says"),
    [
        ("spice", "spice-html5", "Unavailable console type spice-html5"),
        ("rdp", "rdp-html5", "Unavailable console type rdp-html5"),
        ("mks", "webmks", "Unavailable console type webmks"),
        ("vnc", "serial", "Invalid console type serial"),
        ("serial", "novnc", "Invalid console type novnc"),
        ("vnc", "xvpvnc", "Invalid console type xvpvnc"),
        ("vnc", "nothing", ""),
        ("telnet", "novnc", ""),
        ("vnc", None, ""),
    ],
)
def test_other_consoles_are_refused(site: Site, protocol: str, type_: str, says: str) -> None:
    server = site.build()["id"]
    answer = ask(site, server, protocol, type_).expect(400)
    assert says in answer["badRequest"]["message"]


def test_mks_is_a_protocol_since_2_8_only(site: Site) -> None:
    server = site.build()["id"]
    for version, says in (("2.7", "microversion 2.8"), ("2.8", "Unavailable console type webmks")):
        answer = ask(site, server, "mks", "webmks", client=at(site.member, version)).expect(400)
        assert says in answer["badRequest"]["message"]
    broken = at(site.member, "2.6").post(f"{ROOT}/servers/{server}/remote-consoles", {"x": []})
    broken.expect(400)


def test_a_server_without_a_machine_has_no_console(site: Site) -> None:
    building = site.create().expect(202)["server"]["id"]
    assert "is not ready" in ask(site, building).expect(409)["conflictingRequest"]["message"]
    site.cloud.settle()
    ask(site, building).expect(200)
    site.act(building, "pause").expect(202)
    site.cloud.settle()
    ask(site, building).expect(200)
    site.act(building, "unpause").expect(202)
    site.cloud.settle()
    site.act(building, "os-stop").expect(202)
    site.cloud.settle()
    ask(site, building).expect(409)
    old = at(site.member, "2.1")
    site.act(building, "os-getVNCConsole", {"type": "novnc"}, client=old).expect(409)
    site.act(building, "os-start").expect(202)
    site.cloud.settle()
    site.member.delete(f"{ROOT}/servers/{building}").expect(204)
    ask(site, building).expect(409)


def test_consoles_are_the_members_of_the_project_alone(site: Site) -> None:
    server = site.build()["id"]
    ask(site, server, client=site.other).expect(404)
    ask(site, server, client=site.reader).expect(403)
    ask(site, unknown_id()).expect(404)
    assert ask(site, server, client=at(site.cloud.bearer(None), "2.6")).status == 401
    private = ask(site, server, client=site.admin).expect(200)["remote_console"]["url"]
    assert private.startswith(f"{BASE}:8444/console/vnc.html")


def test_a_token_shows_operators_where_it_leads(site: Site) -> None:
    server = site.build()["id"]
    token = token_of(ask(site, server).expect(200)["remote_console"]["url"])
    path = f"{ROOT}/os-console-auth-tokens/{token}"
    shown = site.admin.get(path).expect(200)
    assert shown == {
        "console": {
            "instance_uuid": server, "host": "cloud.test", "port": 8444,
            "internal_access_path": None,
        }
    }  # fmt: skip
    assert at(site.admin, "2.31").get(path).status == 200
    assert "badRequest" in at(site.admin, "2.30").get(path).expect(400)
    site.member.get(path).expect(403)
    assert site.admin.get(f"{path}x").expect(404)["itemNotFound"]["message"] == "Token not found"


def test_a_token_that_was_opened_shows_until_it_expires(site: Site) -> None:
    server = site.build()["id"]
    token = token_of(ask(site, server).expect(200)["remote_console"]["url"])
    came = compute.ConsoleCame(listener="public", remote="127.0.0.1", request_id="req-1")
    assert compute.redeem_console(site.cloud.cloud, token, came).server_id == server
    site.admin.get(f"{ROOT}/os-console-auth-tokens/{token}").expect(200)


def test_an_expired_token_is_forgotten(site: Site) -> None:
    server = site.build()["id"]
    first = token_of(ask(site, server).expect(200)["remote_console"]["url"])
    later = clock.now() + 601 * clock.SECOND
    clock.set_source(lambda: later)
    try:
        site.admin.get(f"{ROOT}/os-console-auth-tokens/{first}").expect(404)
        ask(site, server).expect(200)
    finally:
        clock.set_source(None)
    with site.cloud.database.read() as connection:
        assert len(connection.execute(sa.select(store.token)).all()) == 1


def test_a_server_takes_its_tokens_with_it(site: Site) -> None:
    server = site.build()["id"]
    token = token_of(ask(site, server).expect(200)["remote_console"]["url"])
    site.member.delete(f"{ROOT}/servers/{server}").expect(204)
    site.cloud.settle()
    site.admin.get(f"{ROOT}/os-console-auth-tokens/{token}").expect(404)
    with site.cloud.database.read() as connection:
        assert connection.execute(sa.select(store.token)).all() == []


def test_each_console_asked_for_is_a_leaf(site: Site) -> None:
    from andromede.sovereignty.log.leaves import leaf

    server = site.build()["id"]
    url = ask(site, server).expect(200)["remote_console"]["url"]
    with site.cloud.database.read() as connection:
        found = connection.execute(
            sa.select(leaf).where(leaf.c.action == "compute:console:create")
        ).all()
    assert [(row.subject, row.actor, row.status) for row in found] == [(server, "u1", 200)]
    assert token_of(url) not in str(found)
