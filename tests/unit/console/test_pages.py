"""The pages of consoles: languages, headers, files, and what they say without noVNC or xterm.js."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from andromede.console import files, pages
from tests.harness import Client, TestCloud

MODULE = "Object.defineProperty(exports, 'x', {}); var a = require(\"../one\");"


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Debian's packages as they would lie, in a folder of the test's."""
    for name, text in {
        f"{files.NOVNC}/core/rfb.js": "import '../vendor/pako/lib/zlib/inflate.js';",
        f"{files.NOVNC}/vendor/pako/lib/zlib/inflate.js": "export default 1;",
        f"{files.NOVNC}/app/ui.js": "not served",
        f"{files.XTERM}/public/Terminal.js": MODULE,
        f"{files.XTERM}/one.js": "exports.one = 1;",
        f"{files.XTERM}/one.test.js": "not served",
        f"{files.XTERM}/addons/fit/fit.js": "not served",
        files.XTERM_STYLE: ".xterm {}",
    }.items():
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(files, "PLACES", (tmp_path / "none", tmp_path / "root"))
    files.files.cache_clear()
    yield tmp_path / "root"
    files.files.cache_clear()


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    cloud = TestCloud(tmp_path, [pages.service()])
    pages.warm()
    yield cloud.bearer(None)
    cloud.close()


@pytest.mark.parametrize("page", ["vnc", "serial"])
@pytest.mark.usefixtures("packages")
def test_a_page_speaks_the_browsers_language(client: Client, page: str) -> None:
    path = f"/console/{page}.html?path=console%2Fsocket%3Ftoken%3Dx"
    english = client.get(path)
    french = client.get(path, headers={"Accept-Language": "de, fr-CA;q=0.8, en;q=0.5"})
    assert (english.status, french.status) == (200, 200)
    assert english.headers["content-type"] == "text/html; charset=utf-8"
    assert (english.headers["content-language"], french.headers["content-language"]) == ("en", "fr")
    assert "Connecting…" in english.body.decode()
    assert "Connexion…" in french.body.decode()
    assert ("Ctrl+Alt+Suppr" in french.body.decode()) == (page == "vnc")
    assert client.get(f"{path}&lang=fr").body == french.body
    assert "token" not in english.body.decode()
    assert client.get(f"{path}&lang=de").status == 400
    assert re.search(r"<html.*>", english.body.decode())


@pytest.mark.usefixtures("packages")
def test_pages_load_nothing_but_their_own(client: Client) -> None:
    answer = client.get("/console/vnc.html")
    rule = answer.headers["content-security-policy"]
    assert "default-src 'none'" in rule
    assert "script-src 'self';" in rule
    assert "connect-src 'self' wss://cloud.test:8443;" in rule
    assert "frame-ancestors 'none'" in rule
    assert "unsafe" not in rule
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    for page in ("vnc", "serial"):
        text = client.get(f"/console/{page}.html").body.decode()
        assert not re.search(r"\s(on[a-z]+|style)=|<script>|<style", text)
        for path in re.findall(r'(?:src|href)="([^"]*)"', text):
            assert path == "data:," or client.get(path).status == 200, path


@pytest.mark.usefixtures("packages")
def test_files_come_with_their_types(client: Client) -> None:
    for path, kind in {
        "own/page.js": "text/javascript", "own/console.css": "text/css",
        "novnc/core/rfb.js": "text/javascript", "xterm/xterm.css": "text/css",
        "novnc/vendor/pako/lib/zlib/inflate.js": "text/javascript",
    }.items():  # fmt: skip
        found = client.get(f"/console/{path}")
        assert (found.status, found.headers["content-type"]) == (200, f"{kind}; charset=utf-8")
        assert found.headers["x-content-type-options"] == "nosniff"
    for path in (
        "novnc/app/ui.js",
        "own/../pages.py",
        "own/%2e%2e/pages.py",
        "novnc/core",
        "own/x.js",
    ):
        assert client.get(f"/console/{path}").status == 404
    assert client.post("/console/vnc.html").status == 405


@pytest.mark.usefixtures("packages")
def test_xterms_modules_are_one_script(client: Client) -> None:
    text = client.get("/console/xterm/xterm.js").body.decode()
    assert '"public/Terminal": function (require, module, exports)' in text
    assert 'require("one")' in text
    assert "not served" not in text


def test_without_its_files_a_page_says_what_helps(
    client: Client, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "PLACES", (packages / "none",))
    files.files.cache_clear()
    for page, name in (("vnc", "noVNC"), ("serial", "xterm.js")):
        text = client.get(f"/console/{page}.html").body.decode()
        assert f"lacks the files of {name}" in text
        assert "/console/own/page.js" in text
        assert f"{page}.js" not in text.replace("page.js", "")


def test_languages_are_ours_or_english() -> None:
    assert [pages.choose(each) for each in ("", "fr", "FR-fr", "de", "de,en,fr", "*")] == [
        "en", "fr", "fr", "en", "en", "en",
    ]  # fmt: skip
    assert "connect-src 'self' ws://127.0.0.1:1;" in pages.policy("http://127.0.0.1:1")
