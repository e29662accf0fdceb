"""A headless Chromium for tests, driven through its debugging port on loopback.

Source: the Chrome DevTools Protocol, domains Page, Runtime and Input.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import urllib.request
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from websockets.sync.client import ClientConnection, connect

from andromede.cli.client import poll

PROGRAM = "/usr/bin/chromium"
PATIENCE = 120.0  # seconds: the host may be busy with much else
SHIFT = 8  # of the protocol's modifiers
# Keys of a US keyboard that are no letter or digit: what they are without shift and with it.
PLAIN = {
    " ": "Space", "-": "Minus", "=": "Equal", "[": "BracketLeft", "]": "BracketRight",
    "\\": "Backslash", ";": "Semicolon", "'": "Quote", ",": "Comma", ".": "Period", "/": "Slash",
    "`": "Backquote",
}  # fmt: skip
SHIFTED = dict(zip('_+{}|:"<>?~!@#$%^&*()', "-=[]\\;',./`1234567890", strict=True))


class Browser:
    """One page of a browser."""

    def __init__(self, page: ClientConnection) -> None:
        self._page = page
        self._number = 0
        self.said: list[str] = []  # what the page wrote to its console, and what it refused
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Any:
        """Run a command of the protocol; its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        self._page.send(json.dumps(message))
        while True:
            answer = json.loads(self._page.recv(timeout=PATIENCE))
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            self._note(answer)

    def _note(self, event: dict[str, Any]) -> None:
        if event.get("method") == "Log.entryAdded":
            entry = event["params"]["entry"]
            self.said.append(f"{entry['text']} {entry.get('url', '')}")
        elif event.get("method") == "Runtime.exceptionThrown":
            self.said.append(json.dumps(event["params"]["exceptionDetails"])[:500])

    def open(self, url: str) -> None:
        found = self.call("Page.navigate", url=url)
        assert "errorText" not in found, found["errorText"]

    def look(self, script: str) -> Any:
        """The value of a script in the page."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait(self, script: str, what: str, seconds: float = PATIENCE) -> Any:
        """Wait until a script's value is true; the value. What it fails on may still come."""
        tried = f"(() => {{ try {{ return {script} }} catch {{ return null }} }})()"
        try:
            return poll(lambda: self.look(tried), seconds, what)
        except Exception as error:
            error.add_note(f"the page: {str(self.look('document.body?.innerText'))[:2000]}")
            error.add_note(f"it said: {self.said[-10:]}")
            raise

    def type(self, text: str) -> None:
        """Type on a US keyboard; a line's end is Enter."""
        for character in text:
            self._press(character)

    def _press(self, character: str) -> None:
        low = SHIFTED.get(character, character.lower())
        shift = low != character
        if character == "\n":
            code, key, shown, number = "Enter", "Enter", "\r", 13
        else:
            code = f"Key{low.upper()}" if low.isalpha() else PLAIN.get(low, f"Digit{low}")
            key, shown, number = character, character, ord(low.upper()) if low.isalnum() else 0
        held = {"modifiers": SHIFT} if shift else {}
        if shift:
            self._key("rawKeyDown", key="Shift", code="ShiftLeft", number=16, **held)
        self._key("keyDown", key=key, code=code, number=number, text=shown, **held)
        self._key("keyUp", key=key, code=code, number=number, **held)
        if shift:
            self._key("keyUp", key="Shift", code="ShiftLeft", number=16)

    def _key(self, kind: str, *, number: int, **more: Any) -> None:
        self.call("Input.dispatchKeyEvent", type=kind, windowsVirtualKeyCode=number, **more)

    def photograph(self, file: Path) -> None:
        """Write the page as it is seen into a PNG file."""
        file.write_bytes(self._picture())

    def colour(self, x: int, y: int) -> tuple[int, ...]:
        """Red, green and blue of one point of the page as it is seen."""
        clip = {"x": x, "y": y, "width": 1, "height": 1, "scale": 1}
        png = self._picture(clip=clip)
        data, at = b"", 8
        while at < len(png):
            size = int.from_bytes(png[at : at + 4], "big")
            if png[at + 4 : at + 8] == b"IDAT":
                data += png[at + 8 : at + 8 + size]
            at += size + 12
        row = zlib.decompress(data)  # its filter, which one point has no use of, and the point
        return tuple(row[1:4])

    def _picture(self, **more: Any) -> bytes:
        found = self.call("Page.captureScreenshot", format="png", **more)
        return base64.b64decode(found["data"])


@contextlib.contextmanager
def browser(certificate: Path, *flags: str) -> Iterator[Browser]:
    """A browser that trusts one server's certificate, and resolves no name."""
    profile = Path(tempfile.mkdtemp(prefix="andromede-browser-"))
    environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    process = subprocess.Popen(
        [
            PROGRAM, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--disable-dev-shm-usage", "--hide-scrollbars", "--window-size=1024,768",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--no-proxy-server",
            f"--ignore-certificate-errors-spki-list={_fingerprint(certificate)}",
            f"--user-data-dir={profile}", "--remote-debugging-port=0", *flags, "about:blank",
        ],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=environment,
    )  # fmt: skip
    try:
        where = poll(lambda: _address(profile, process), PATIENCE, "the browser does not start")
        with connect(where, max_size=None, proxy=None, ping_interval=None) as page:
            yield Browser(page)
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(profile, ignore_errors=True)


def _address(profile: Path, process: subprocess.Popen[bytes]) -> str | None:
    """The WebSocket of the browser's first page, once it is there."""
    assert process.poll() is None, f"the browser ended with {process.returncode}"
    try:
        port = (profile / "DevToolsActivePort").read_text().split()[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as answer:
            pages = json.loads(answer.read())
    except (OSError, IndexError):
        return None
    return next((each["webSocketDebuggerUrl"] for each in pages if each["type"] == "page"), None)


def _fingerprint(certificate: Path) -> str:
    """The hash of a certificate's public key, as the browser's flag has it."""
    key = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    public = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(public).digest()).decode()
