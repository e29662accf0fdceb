"""The pages of consoles, in English and French, and the files that they load. They hold nothing of a
customer's, so no token is asked for: what opens a console is the token in the page's address, which
the page's script sends to the WebSocket and takes out of the address bar.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, StrictUndefined, Template

from andromede.console import files
from andromede.http.context import Context
from andromede.http.errors import BadRequest, NotFound, plain_shape
from andromede.http.operation import Operation, Reply, Service, Transaction
from andromede.sovereignty.words import Text, text

HTML = "text/html; charset=utf-8"
LANGUAGES = ("en", "fr")
TEMPLATE = "page.html.j2"
DEPTHS = (2, 3, 4, 6)  # segments of files' paths
WORDS = {
    "screen": text("Screen", "Écran"),
    "serial": text("Serial port", "Port série"),
    "connecting": text("Connecting…", "Connexion…"),
    "connected": text("Connected", "Connecté"),
    "ended": text(
        "The session ended. Load the page again; ten minutes after it was asked for, ask for another.",
        "La session est terminée. Rechargez la page ; dix minutes après sa demande, demandez-en une "
        "autre.",
    ),
    "refused": text(
        "No console was opened: its address works in the browser that opened it first, for ten "
        "minutes, and while the machine runs.",
        "Aucune console n'a été ouverte : son adresse sert dans le navigateur qui l'a ouverte le "
        "premier, pendant dix minutes, et tant que la machine fonctionne.",
    ),
    "missing": text(
        "This cloud lacks the files of {name}, which this page shows the console with. Its operator "
        "installs them by starting the cloud again with ./andromede.",
        "Ce cloud n'a pas les fichiers de {name}, avec lesquels cette page montre la console. Son "
        "opérateur les installe en relançant le cloud par ./andromede.",
    ),
    "attention": text("Send Ctrl+Alt+Del", "Envoyer Ctrl+Alt+Suppr"),
    "full": text("Full screen", "Plein écran"),
    "scriptless": text(
        "A console needs JavaScript, which this browser does not run here.",
        "Une console a besoin de JavaScript, que ce navigateur n'exécute pas ici.",
    ),
}


@cache
def _template() -> Template:
    source = (files.OWN.parent / TEMPLATE).read_text()
    made = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return made.from_string(source)


def warm() -> None:
    """Read everything that the pages use."""
    files.files()
    _template()


def choose(accepted: str) -> str:
    """The first of our languages that a browser names, or English."""
    for part in accepted.split(","):
        language = part.strip().partition(";")[0].partition("-")[0].lower()
        if language in LANGUAGES:
            return language
    return "en"


def policy(base_url: str) -> str:
    """The content security policy: our own scripts, styles and WebSocket, and no frame."""
    own = urlsplit(base_url)
    socket = f"{'wss' if own.scheme == 'https' else 'ws'}://{own.netloc}"
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"connect-src 'self' {socket}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _page(kind: str, title: str, name: str, there: Callable[[], bool]) -> Callable[..., Reply]:
    def show(context: Context) -> Reply:
        language = context.first("lang") or choose(context.headers.get("accept-language", ""))
        if language not in LANGUAGES:
            raise BadRequest(f"lang is {language!r}: {' and '.join(LANGUAGES)} are accepted.")
        said = {key: each.in_(language).replace("{name}", name) for key, each in WORDS.items()}
        page = _template().render(
            kind=kind, title=said[title], said=said, language=language, name=name, there=there()
        )
        headers = {**_headers(context), "Content-Language": language, "Cache-Control": "no-store",
                   "Vary": "Accept-Language"}  # fmt: skip
        return Reply(200, page.encode(), headers, media_type=HTML)

    return show


def _headers(context: Context) -> dict[str, str]:
    return {
        "Content-Security-Policy": policy(context.base_url),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


def _file(context: Context) -> Reply:
    path = "/".join(context.path.strip("/").split("/"))
    found = files.files().get(path)
    if found is None:
        raise NotFound(f"Nothing is served at /console/{path}.")
    content, kind = found
    headers = {**_headers(context), "Cache-Control": "max-age=600"}
    return Reply(200, content, headers, media_type=kind)


def _row(path: str, handler: Callable[..., Any], verb: str) -> Operation:
    return Operation(
        method="GET", path=path, handler=handler, action=f"console:{verb}:show", allow=None,
        transaction=Transaction.NONE,
    )  # fmt: skip


def service() -> Service:
    """What both listeners serve below `/console`."""
    depths = ("/".join(f"{{s{at}}}" for at in range(count)) for count in DEPTHS)
    return Service(
        name="console",
        type="console",
        mount="/console",
        error_shape=plain_shape,
        operations=[
            _row("/vnc.html", _page("vnc", "screen", "noVNC", files.has_novnc), "screen"),
            _row("/serial.html", _page("serial", "serial", "xterm.js", files.has_xterm), "serial"),
            *(_row(f"/{each}", _file, "file") for each in depths),
        ],
    )


__all__ = ["Text", "choose", "policy", "service", "warm"]
