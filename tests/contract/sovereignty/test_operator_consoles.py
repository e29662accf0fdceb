"""Operators and consoles: they open none of a customer's servers without consent, and the customer
reads each that they opened or tried to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from andromede.http.errors import Forbidden
from andromede.services.compute import api as compute
from andromede.services.compute.api import ConsoleCame, OpenedConsole
from andromede.sovereignty.admit import Refused
from tests.contract.compute.servers.helpers import ROOT
from tests.contract.sovereignty.customers import CONSENTS, Customers, customers
from tests.harness import Answer, Client

OPEN = "compute:console:open"


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[Customers]:
    made = customers(tmp_path, database_url)
    yield made
    made.cloud.close()


def ask(server: str, client: Client) -> Answer:
    body = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
    return client.post(f"{ROOT}/servers/{server}/remote-consoles", body)


def token(server: str, client: Client) -> str:
    url = ask(server, client).expect(200)["remote_console"]["url"]
    return parse_qs(urlsplit(url).query)["path"][0].partition("=")[2]


def redeem(world: Customers, text: str, listener: str = "private") -> OpenedConsole:
    came = ConsoleCame(listener=listener, remote="127.0.0.1", request_id="req-1")
    return compute.redeem_console(world.cloud.cloud, text, came)


def test_operators_need_consent_to_ask_and_to_open(world: Customers) -> None:
    server = world.site.build()["id"]
    assert (
        "consent of project p1" in ask(server, world.operator).expect(403)["forbidden"]["message"]
    )
    world.give("output")
    assert ask(server, world.operator).status == 403, "of another kind"
    given = world.give("console", operator="op1")
    assert ask(server, world.second).status == 403
    first, second = token(server, world.operator), token(server, world.operator)
    opened = redeem(world, first)
    assert (opened.server_id, opened.kind) == (server, "vnc")
    assert compute.still_opened(world.cloud.cloud, opened)
    world.member.post(f"{CONSENTS}/{given['id']}/revoke").expect(200)
    assert not compute.still_opened(world.cloud.cloud, opened)
    with pytest.raises(Refused, match="consent of project p1"):
        redeem(world, second)
    with pytest.raises(Forbidden, match="another browser opened it"):
        redeem(world, second)
    refused, seen = sorted(world.leaves(OPEN), key=lambda each: -each["status"])
    assert (seen["status"], seen["actor"], seen["subject"]) == (101, "op1", server)
    assert seen["detail"] == {"type": "novnc", "consent": given["id"]}
    assert (refused["status"], refused["detail"]) == (403, {"type": "novnc"})
    assert world.leaves(OPEN, world.other) == []
    asked = world.leaves("compute:console:create")
    assert sorted(each["status"] for each in asked) == [200, 200, 403, 403, 403]


def test_operators_come_from_where_they_may(world: Customers) -> None:
    server = world.site.build()["id"]
    world.give("console")
    text = token(server, world.operator)
    with pytest.raises(Forbidden, match="private listener only"):
        redeem(world, text, "public")
    assert world.leaves(OPEN)[0]["status"] == 403
    members = token(server, world.member)
    assert redeem(world, members, "public").caller.user_id == "u1"


def test_what_is_seen_of_a_token_is_a_look_at_the_server(world: Customers) -> None:
    server = world.site.build()["id"]
    text = token(server, world.member)
    path = f"{ROOT}/os-console-auth-tokens/{text}"
    assert world.operator.get(path).status == 403
    world.give("console")
    world.operator.get(path).expect(200)
    looks = world.leaves("compute:console-token:show")
    assert [(each["status"], each["actor"], each["subject"]) for each in looks] == [
        (403, "op1", server), (200, "op1", server),
    ]  # fmt: skip
    assert text not in str(world.leaves())


def test_a_server_that_is_no_more_has_no_session(world: Customers) -> None:
    server = world.site.build()["id"]
    opened = redeem(world, token(server, world.member))
    assert compute.still_opened(world.cloud.cloud, opened)
    assert world.member.delete(f"{ROOT}/servers/{server}").status == 204
    world.cloud.settle()
    assert not compute.still_opened(world.cloud.cloud, opened)
