"""What the crash tests know of the transitions of a server that runs: how to ask for one over HTTP,
and what it settles to."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from tests.contract.compute.servers.helpers import ROOT
from tests.crash.scenarios import SERVER, SITES, Scenario
from tests.harness import Client, TestCloud

IMAGES = "/image/v2/images"
Act = tuple[str, Any]


def _transition(before: Sequence[Act], act: Act, good: str) -> Scenario:
    """A server that `act` is asked of, after `before`, and that shows the status `good` then."""

    def create(cloud: TestCloud, _: Client) -> str:
        site = SITES[cloud]
        server = str(site.build()["id"])
        for name, value in before:
            _ask(cloud, server, name, value)
            cloud.settle()
        _ask(cloud, server, *act)
        return server

    def status(_: TestCloud, client: Client, server: str) -> str:
        answer = client.get(f"{ROOT}/servers/{server}")
        if answer.status == 404:
            return "gone"
        shown = answer.expect(200)["server"]
        if shown["status"] == good and shown["OS-EXT-STS:task_state"] is None:
            return "good"
        return {"ERROR": "error"}.get(shown["status"], shown["status"])

    def delete(_: TestCloud, client: Client, server: str) -> None:
        assert client.delete(f"{ROOT}/servers/{server}").status in (204, 404)
        for each in client.get(IMAGES).expect(200)["images"]:
            if each.get("instance_uuid") == server:
                assert client.delete(f"{IMAGES}/{each['id']}").status == 204

    return dataclasses.replace(
        SERVER, create=create, status=status, delete=delete, covers=frozenset(),
        history=frozenset({"image_tombstone"}), there=lambda cloud, client, server: True,
    )  # fmt: skip


def _ask(cloud: TestCloud, server: str, name: str, value: Any) -> None:
    site = SITES[cloud]
    if name == "resize":
        value = {"flavorRef": _flavor(cloud)}
    if name == "rebuild":
        value = {"imageRef": site.image}
    assert site.act(server, name, value).status in (200, 202, 204)


def _flavor(cloud: TestCloud) -> str:
    flavors = SITES[cloud].member.get(f"{ROOT}/flavors/detail").expect(200)["flavors"]
    return next(str(each["id"]) for each in flavors if each["name"] == "t1.small")


NAMED: dict[str, Scenario] = {
    "pause": _transition([], ("pause", None), "PAUSED"),
    "unpause": _transition([("pause", None)], ("unpause", None), "ACTIVE"),
    "suspend": _transition([], ("suspend", None), "SUSPENDED"),
    "resume": _transition([("suspend", None)], ("resume", None), "ACTIVE"),
    "rebuild": _transition([], ("rebuild", None), "ACTIVE"),
    "rebuild what is off": _transition([("os-stop", None)], ("rebuild", None), "SHUTOFF"),
    "resize": _transition([], ("resize", None), "VERIFY_RESIZE"),
    "confirm": _transition([("resize", None)], ("confirmResize", None), "ACTIVE"),
    "revert": _transition([("resize", None)], ("revertResize", None), "ACTIVE"),
    "snapshot": _transition([], ("createImage", {"name": "snap"}), "ACTIVE"),
    "rescue": _transition([], ("rescue", None), "RESCUE"),
    "unrescue": _transition([("rescue", None)], ("unrescue", None), "ACTIVE"),
    "shelve": _transition([], ("shelve", None), "SHELVED_OFFLOADED"),
    "unshelve": _transition([("shelve", None)], ("unshelve", None), "ACTIVE"),
    "password": _transition([], ("changePassword", {"adminPass": "new"}), "ACTIVE"),
}
