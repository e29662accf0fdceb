"""What the pages of consoles load, by its path below `/console`: scripts and styles of our own, and
those of noVNC and xterm.js as Debian packages them. Read once, before roles drop their rights.
"""

from __future__ import annotations

import posixpath
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec

OWN = Path(__file__).parent / "static"
# Where the launcher unpacks Debian's packages, and where they are when they are installed.
PLACES = (Path(f"{sys.prefix}-pages"), Path("/"))
NOVNC, XTERM = "usr/share/novnc", "usr/share/nodejs/xterm/lib"
XTERM_STYLE = "usr/share/javascript/xterm/xterm.css"
PARTS = ("core", "vendor")  # of noVNC
SCRIPT, STYLE = "text/javascript; charset=utf-8", "text/css; charset=utf-8"
TYPES = {".js": SCRIPT, ".css": STYLE}
REQUIRED = re.compile(r"""require\(["'](\.[^"']*)["']\)""")

File = tuple[bytes, str]  # content and media type


@cache
def files() -> dict[str, File]:
    """Every file by its path below `/console/`."""
    found = {f"own/{path.name}": _read(path) for path in sorted(OWN.iterdir())}
    if (novnc := _place(NOVNC)) is not None:
        for part in PARTS:
            for path in sorted((novnc / part).rglob("*.js")):
                found[f"novnc/{path.relative_to(novnc)}"] = _read(path)
    xterm, style = _place(XTERM), _place(XTERM_STYLE)
    if xterm is not None and style is not None:
        found["xterm/xterm.js"] = bundle(dict(_modules(xterm))).encode(), SCRIPT
        found["xterm/xterm.css"] = _read(style)
    return found


def has_novnc() -> bool:
    return "novnc/core/rfb.js" in files()


def has_xterm() -> bool:
    return "xterm/xterm.js" in files()


def _read(path: Path) -> File:
    return path.read_bytes(), TYPES[path.suffix]


def _place(name: str) -> Path | None:
    return next((place / name for place in PLACES if (place / name).exists()), None)


def _modules(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*.js")):
        name = path.relative_to(folder).with_suffix("").as_posix()
        if not name.endswith(".test") and not name.startswith("addons/"):
            yield name, path.read_text()


def bundle(modules: dict[str, str]) -> str:
    """CommonJS modules by name as one script, which sets `Terminal`.

    Debian packages xterm.js for Node.js alone, where each module is a file and `require` reads it.
    """
    parts = []
    for name, text in modules.items():

        def absolute(found: re.Match[str], name: str = name) -> str:
            path = posixpath.normpath(posixpath.join(posixpath.dirname(name), found[1]))
            return f"require({msgspec.json.encode(path).decode()})"

        body = REQUIRED.sub(absolute, text)
        key = msgspec.json.encode(name).decode()
        parts.append(f"{key}: function (require, module, exports) {{\n{body}\n}}")
    return _BUNDLE.replace("MODULES", ",\n".join(parts))


_BUNDLE = """"use strict";
(function () {
  const modules = {MODULES};
  const loaded = {};
  function load(name) {
    if (!(name in loaded)) {
      loaded[name] = { exports: {} };
      modules[name](load, loaded[name], loaded[name].exports);
    }
    return loaded[name].exports;
  }
  window.Terminal = load("public/Terminal").Terminal;
})();
"""
