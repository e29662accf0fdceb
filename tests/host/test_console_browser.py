"""Consoles of a real guest in a real browser: somebody logs in on the screen and on the serial port."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from andromede.cli.client import poll
from andromede.config import Paths
from tests import browser as browsers
from tests.browser import Browser
from tests.host.guest_cloud import FLAVOR, IMAGE, PATIENCE, GuestCloud, Server

pytestmark = pytest.mark.host
PASSWORD = "Orion7-belt"
GREEN = (0, 170, 0)  # of a text console's palette, as good as six bits tell it
CONNECTED = "document.body.dataset.state === 'connected'"
# The share of the canvas in a colour, in thousandths.
SHARE = """(() => {
  const canvas = document.querySelector('#console canvas');
  const all = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  let found = 0;
  for (let at = 0; at < all.length; at += 4)
    if ([%d, %d, %d].every((each, by) => Math.abs(all[at + by] - each) < 4)) found += 1;
  return Math.floor(4000 * found / all.length);
})()"""
# How many characters the last line of the text that a screen shows has, blanks and the cursor aside.
LAST = """(() => {
  const canvas = document.querySelector('#console canvas');
  const [wide, high, cursor] = [9, 16, 13];
  const context = canvas.getContext('2d');
  for (let y = canvas.height - high; y >= 0; y -= high) {
    let found = 0;
    for (let x = 0; x < canvas.width; x += wide)
      if (context.getImageData(x, y, wide, cursor).data.some((v, at) => at % 4 < 3 && v > 100))
        found += 1;
    if (found) return found;
  }
})()"""
TEXT = "document.querySelector('.xterm-accessibility-tree').innerText"


@pytest.fixture(scope="module")
def server(running: GuestCloud) -> Iterator[Server]:
    """A server without a network, whose administrator's password its config drive tells."""
    api = running.tenant.api
    image = api.find("image", "/v2/images", "images", IMAGE)
    flavors = api.call("compute", "GET", "/flavors")["flavors"]
    port = running.tenant.net("network", name="quiet")["id"]
    running.tenant.net("subnet", network_id=port, cidr="10.77.0.0/24", ip_version=4)
    assert image is not None
    body = {
        "name": "shown", "imageRef": image["id"], "adminPass": PASSWORD, "config_drive": True,
        "flavorRef": next(each["id"] for each in flavors if each["name"] == FLAVOR),
        "networks": [{"uuid": port}],
    }  # fmt: skip
    made = api.call("compute", "POST", "/servers", {"server": body})["server"]["id"]
    found = Server(made, "shown", "", "", running.tenant.key, running.tenant)
    found.wait("ACTIVE")
    yield found
    api.call("compute", "DELETE", f"/servers/{made}")


@pytest.fixture
def page(running: GuestCloud, request: pytest.FixtureRequest) -> Iterator[Browser]:
    with browsers.browser(
        Paths(running.cloud.state).tls / "server.pem", "--accept-lang=fr"
    ) as made:
        yield made
        kept = os.environ.get("ANDROMEDE_SCREENSHOTS")
        if kept:  # for people: what the page was at its end
            made.photograph(Path(kept) / f"{request.node.name}.png")


def address(server: Server, kind: str) -> str:
    """The address of a console, by the action that clients of every age know."""
    action, type_ = {"vnc": ("VNC", "novnc"), "serial": ("Serial", "serial")}[kind]
    path = f"/servers/{server.id}/action"
    body: dict[str, Any] = {f"os-get{action}Console": {"type": type_}}
    return str(server.tenant.api.call("compute", "POST", path, body)["console"]["url"])


def wait_colour(page: Browser, colour: tuple[int, int, int]) -> None:
    """Wait until most of the screen has a colour."""
    page.wait(f"{SHARE % colour} > 900", f"the screen did not become {colour}", PATIENCE)


def test_a_login_on_the_screen(server: Server, page: Browser, tmp_path: Path) -> None:
    """What is read of the screen are lengths of lines; only a shell of the user who logged in paints
    it."""
    page.open(address(server, "vnc"))
    page.wait(CONNECTED, "the screen is not connected")
    assert page.look("document.documentElement.lang") == "fr"
    assert page.look("location.search") == "", "the token left the address bar"
    server_ready(server)
    page.wait(f"{LAST} === {len('shown') + len('login:')}", "no login is asked for", PATIENCE)
    page.type("cirros\n")
    page.wait(f"{LAST} === {len('Password:')}", "no password is asked for", PATIENCE)
    page.type(f"{PASSWORD}\n")
    page.type("test $(id -un) = cirros && printf '\\033[42m\\033[2J'\n")
    wait_colour(page, GREEN)
    assert all(abs(a - b) < 4 for a, b in zip(page.colour(512, 300), GREEN, strict=True))
    page.type("printf '\\033[0m\\033[2J\\033[H'; uname -sr; id; echo $HOSTNAME\n")
    page.wait(f"{SHARE % GREEN} === 0 && {LAST} === {len('cirros@shown:~$')}", "it stays green")
    photograph = tmp_path / "novnc.png"
    page.photograph(photograph)
    assert photograph.read_bytes().startswith(b"\x89PNG")
    assert refused(page) == []


def refused(page: Browser) -> list[str]:
    """What the page's policy refused, and what went wrong in it; the browser's own advice aside."""
    return [each for each in page.said if "willReadFrequently" not in each]


def server_ready(server: Server) -> None:
    """Wait until the guest asks who logs in, and knows the password, which comes after SSH."""

    def ready() -> bool:
        said = server.console()
        return "login:" in said and "password set for cirros" in said

    poll(ready, PATIENCE, "the guest asks for no login")


def test_a_login_on_the_serial_port(server: Server, page: Browser) -> None:
    server_ready(server)
    page.open(address(server, "serial"))
    page.wait(CONNECTED, "the port is not connected")
    page.type("\n")
    page.wait(f"/login:/.test({TEXT})", "no login is asked for", PATIENCE)
    page.type("cirros\n")
    page.wait(f"/Password:/.test({TEXT})", "no password is asked for", PATIENCE)
    page.type(f"{PASSWORD}\n")
    page.type("echo user=$(id -un) sum=$((40+2))\n")
    page.wait(f"/user=cirros sum=42/.test({TEXT})", "the shell does not answer", PATIENCE)
    assert "user=cirros sum=42" in server.console(), "the log keeps what was said"
    assert refused(page) == []


def test_a_page_is_loaded_again_in_its_browser_alone_and_a_stopped_machine_has_none(
    running: GuestCloud, server: Server, page: Browser
) -> None:
    once = address(server, "vnc")
    page.open(once)
    page.wait(CONNECTED, "the screen is not connected")
    page.call("Page.reload")
    page.wait(f"performance.getEntriesByType('navigation')[0].type === 'reload' && {CONNECTED}",
              "the page was loaded again, and is not connected")  # fmt: skip
    assert page.look("location.search") == "", "the token left the address bar"
    assert page.look("document.cookie") == "", "no script reads what the browser keeps"
    page.open("about:blank")
    page.open(once)
    page.wait(CONNECTED, "the address does not open in the browser that opened it first")
    with browsers.browser(Paths(running.cloud.state).tls / "server.pem") as other:
        other.open(once)
        other.wait("document.body.dataset.state === 'refused'", "it opened in another browser")
    for log in Paths(running.cloud.state).logs.iterdir():
        assert once.rpartition("%3D")[2] not in log.read_text(), "no log holds a token"
    server.act("os-stop")
    page.wait("document.body.dataset.state === 'ended'", "the screen outlived its machine")
    server.wait("SHUTOFF")
