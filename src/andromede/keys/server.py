"""The keys role's service: one JSON line in, one out, over a unix socket, by the caller's user id."""

from __future__ import annotations

import base64
import socket
import socketserver
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import structlog

from andromede.config import Config, Paths, role_uid
from andromede.keys.vault import Vault

log = structlog.get_logger("keys")
LONGEST = 64 * 1024
PEER = struct.Struct("3i")
PURPOSES = frozenset({"credential", "guest-password"})  # what others may have wrapped


class Server(socketserver.ThreadingUnixStreamServer):
    """Serves a vault. `allowed` names which user ids may call each method."""

    daemon_threads = True

    def __init__(self, path: Path, vault: Vault, allowed: dict[str, set[int]]) -> None:
        path.unlink(missing_ok=True)
        super().__init__(str(path), Handler)
        path.chmod(0o666)  # the peer's user id decides, in `answer`
        self.vault = vault
        self.allowed = allowed
        self.methods: dict[str, Callable[[dict[str, Any]], Any]] = {
            "token_keys": self._token_keys,
            "rotate": self._rotate,
            "sign_checkpoint": self._sign,
            "sign_manifest": self._sign_manifest,
            "wrap": self._wrap,
            "unwrap": self._unwrap,
            "cosign_checkpoint": self._cosign,
            "verifiers": lambda _: [str(vault.log.verifier), str(vault.witness.verifier)],
        }

    def answer(self, uid: int, line: bytes) -> dict[str, Any]:
        """One call's answer: `{"result": …}` or `{"error": …}`."""
        try:
            call = msgspec.json.decode(line, type=dict[str, Any])
        except msgspec.DecodeError as error:
            return {"error": f"not a call: {error}"}
        method = str(call.get("method"))
        if uid not in self.allowed.get(method, set()):
            log.warning("refused", method=method, uid=uid)
            return {"error": f"user {uid} may not call {method}"}
        try:
            return {"result": self.methods[method](call)}
        except (KeyError, TypeError, ValueError) as error:
            log.warning("not done", method=method, uid=uid, reason=str(error))
            return {"error": f"{method}: {error}"}

    def _token_keys(self, _: dict[str, Any]) -> list[list[str]]:
        keys = self.vault.token_keys()
        return [[each.id, base64.b64encode(each.key).decode()] for each in keys]

    def _rotate(self, _: dict[str, Any]) -> int:
        return len(self.vault.rotate_token_keys())

    def _wrap(self, call: dict[str, Any]) -> str:
        plain = base64.b64decode(call["plain"])
        return base64.b64encode(self.vault.wrap(*_use(call), plain)).decode()

    def _unwrap(self, call: dict[str, Any]) -> str:
        wrapped = base64.b64decode(call["wrapped"])
        return base64.b64encode(self.vault.unwrap(*_use(call), wrapped)).decode()

    def _sign(self, call: dict[str, Any]) -> str:
        text = base64.b64decode(call["text"])
        return base64.b64encode(self.vault.log.sign(text)).decode()

    def _cosign(self, call: dict[str, Any]) -> str:
        text = base64.b64decode(call["text"])
        return base64.b64encode(self.vault.witness.cosign(text)).decode()

    def _sign_manifest(self, call: dict[str, Any]) -> str:
        """The signed note over an evidence archive's digests; the text is made here.

        Errors: ManifestError.
        """
        files = [(str(name), str(digest)) for name, digest in call["files"]]
        return self.vault.log.sign_manifest(str(call["project"]), files)


def _use(call: dict[str, Any]) -> tuple[str, str]:
    """Errors: ValueError for a purpose that is not served."""
    purpose, name = str(call["purpose"]), str(call["name"])
    if purpose not in PURPOSES:
        raise ValueError(f"purpose {purpose!r}: {', '.join(sorted(PURPOSES))} is accepted")
    return purpose, name


class Handler(socketserver.StreamRequestHandler):
    """One connection; the client may call several times."""

    def handle(self) -> None:
        assert isinstance(self.server, Server)
        credentials = self.request.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size)
        uid = PEER.unpack(credentials)[1]
        while line := self.rfile.readline(LONGEST):
            self.wfile.write(msgspec.json.encode(self.server.answer(uid, line)) + b"\n")


def serve(config: Config, paths: Paths) -> None:
    """Serve this cloud's vault until the process ends."""
    vault = Vault(paths.keys, mark(config))
    api, operator = {role_uid(config, "api")}, {0, role_uid(config, "keys")}
    allowed = {
        "token_keys": api | operator,
        "sign_checkpoint": operator,
        "sign_manifest": api | operator,
        "wrap": api | operator,
        "unwrap": api | operator,
        "cosign_checkpoint": api,
        "verifiers": api | operator,
        "rotate": operator,
    }
    log.info("serving", token_keys=len(vault.token_keys()))
    with Server(paths.run / "keys.sock", vault, allowed) as server:
        server.serve_forever()


def log_name(config: Config) -> str:
    """The log's origin, which also names the key that signs it."""
    return f"{mark(config)}/log"


def mark(config: Config) -> str:
    """This cloud's name among all clouds, as far as one can be had without a registry."""
    return f"andromede/{config.name}-{config.short}"
