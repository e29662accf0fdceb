"""A small client of the cloud's own APIs, for the commands that use them as any customer would."""

from __future__ import annotations

import http.client
import json
import select
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, urlencode, urlsplit

from andromede.cli.errors import CliError

TIMEOUT = 120.0
MOST = 600  # characters told of an answer that is no error of ours
CLOSED = (ConnectionError, ssl.SSLEOFError)  # what a connection says that the host has ended


class ApiFailure(CliError):
    """The cloud refused a request; `status` is its HTTP code, `document` the JSON that it answered,
    None where it answered none. The error's text is the cloud's own message, in one line."""

    def __init__(self, method: str, url: str, status: int, text: str) -> None:
        try:
            self.document = json.loads(text)
        except ValueError:
            self.document = None
        said = " ".join((_message(self.document) or text[:MOST]).split())
        super().__init__(f"{method} {url} answered {status}: {said}")
        self.status = status


def _message(document: Any) -> str | None:
    """What an error says for people: each service puts `message` at the top or one level below."""
    if not isinstance(document, dict):
        return None
    for each in (document, *document.values()):
        if isinstance(each, dict) and isinstance(each.get("message"), str):
            return str(each["message"])
    return None


class Session:
    """A logged-in client: finds services in its catalog and keeps one connection to each host."""

    def __init__(self, auth_url: str, ca: Path) -> None:
        self.auth_url = auth_url
        self.tls = ssl.create_default_context(cafile=str(ca))
        self.token = ""
        self.catalog: dict[str, str] = {}
        self.project_id = ""
        self.user_id = ""
        self.roles: set[str] = set()
        self._connections: dict[str, http.client.HTTPSConnection] = {}

    def login(self, identity: Mapping[str, Any], scope: Mapping[str, Any] | None = None) -> None:
        """Log in with an `identity` and `scope` as identity v3 defines them."""
        auth: dict[str, Any] = {"identity": identity}
        if scope is not None:
            auth["scope"] = scope
        body, headers = self._send("POST", f"{self.auth_url}/auth/tokens", {"auth": auth})
        token = json.loads(body)["token"]
        self.token = headers["x-subject-token"]
        self.project_id = token.get("project", {}).get("id", "")
        self.user_id = token["user"]["id"]
        self.roles = {role["name"] for role in token.get("roles", [])}
        self.catalog = {
            service["type"]: next(
                (each["url"] for each in service["endpoints"] if each["interface"] == "public"), ""
            )
            for service in token.get("catalog", [])
        }

    def close(self) -> None:
        """Close every connection; a later request opens them again."""
        while self._connections:
            self._connections.popitem()[1].close()

    def call(self, service: str, method: str, path: str, body: Any = None, **query: str) -> Any:
        """One request to a service by its catalog type; the JSON it answers, or None.

        Errors: ApiFailure.
        """
        url = self.catalog[service] + path
        if query:
            url += "?" + urlencode(query)
        answered, _ = self._send(method, url, body)
        return json.loads(answered) if answered else None

    def download(self, service: str, path: str) -> tuple[bytes, dict[str, str]]:
        """What a GET answers, as it is, with its headers by lower-case names.

        Errors: ApiFailure.
        """
        return self._send("GET", self.catalog[service] + path)

    def upload(self, service: str, path: str, file: IO[bytes], size: int) -> None:
        """Send a file as the body of a PUT."""
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        self._send("PUT", self.catalog[service] + path, None, headers, file)

    def find(self, service: str, path: str, key: str, name: str, **query: str) -> Any | None:
        """The first of a list whose name is `name`, or None."""
        found = self.call(service, "GET", path, None, name=name, **query)[key]
        return next((each for each in found if each["name"] == name), None)

    def _send(
        self,
        method: str,
        url: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        file: IO[bytes] | None = None,
    ) -> tuple[bytes, dict[str, str]]:
        parts = urlsplit(url)
        sent = {"X-Auth-Token": self.token, "Content-Type": "application/json", **(headers or {})}
        if not self.token:
            del sent["X-Auth-Token"]
        content: Any = file if file is not None else json.dumps(body) if body is not None else None
        target = quote(parts.path, safe="/%:@") + (f"?{parts.query}" if parts.query else "")
        for attempt in (1, 2):
            connection = self._connection(parts.netloc)
            try:
                connection.request(method, target, content, sent)
                answer = connection.getresponse()
                text = answer.read()
                break
            except OSError as error:
                self._connections.pop(parts.netloc).close()
                if attempt == 2 or file is not None or not isinstance(error, CLOSED):
                    raise CliError(f"{method} {url}: {error}; is the cloud up?") from error
        if answer.status >= 400:
            raise ApiFailure(method, url, answer.status, text.decode(errors="replace"))
        return text, {name.lower(): value for name, value in answer.getheaders()}

    def _connection(self, where: str) -> http.client.HTTPSConnection:
        """A connection to a host: the kept one, unless the host has ended it meanwhile."""
        kept = self._connections.get(where)
        if kept is not None and kept.sock is not None and _readable(kept.sock):
            self._connections.pop(where).close()
        if where not in self._connections:
            self._connections[where] = http.client.HTTPSConnection(
                where, timeout=TIMEOUT, context=self.tls
            )
        return self._connections[where]


def _readable(connection: socket.socket) -> bool:
    """Nothing is due on an idle connection but its end."""
    waiting = select.poll()
    waiting.register(connection, select.POLLIN)
    return bool(waiting.poll(0))


def password(user: str, secret: str, domain: str = "default") -> dict[str, Any]:
    """The identity of a user with a password."""
    who = {"name": user, "password": secret, "domain": {"id": domain}}
    return {"methods": ["password"], "password": {"user": who}}


def credential(credential_id: str, secret: str) -> dict[str, Any]:
    """The identity of an application credential."""
    held = {"id": credential_id, "secret": secret}
    return {"methods": ["application_credential"], "application_credential": held}


def poll(look: Callable[[], Any], within: float, complaint: str) -> Any:
    """Look until something truthy is seen; what was seen.

    Errors: CliError with the complaint.
    """
    for pause in _pauses(within):
        seen = look()
        if seen:
            return seen
        time.sleep(pause)
    raise CliError(f"{complaint} within {within:.0f} s")


def _pauses(within: float) -> Iterator[float]:
    until = time.monotonic() + within
    pause = 0.02
    while time.monotonic() < until:
        yield pause
        pause = min(pause * 1.3, 0.5)
