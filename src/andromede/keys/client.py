"""Calling the keys role."""

from __future__ import annotations

import base64
import socket
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

TIMEOUT = 10.0
PATIENCE = 3.0  # seconds for a role that starts to listen
LOOK = 0.02


class KeysClient:
    """One connection to the keys role, made anew when it breaks. Safe to share among threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._verifiers: tuple[str, str] | None = None  # they never change

    def token_keys(self) -> Sequence[tuple[str, bytes]]:
        return [(key_id, base64.b64decode(key)) for key_id, key in self._call("token_keys")]

    def sign_checkpoint(self, text: bytes) -> bytes:
        encoded = base64.b64encode(text).decode()
        return base64.b64decode(self._call("sign_checkpoint", text=encoded))

    def sign_manifest(self, project: str, files: Sequence[tuple[str, str]]) -> str:
        """The signed note over an evidence archive's files: (name, SHA-256 in hexadecimal)."""
        return str(self._call("sign_manifest", project=project, files=list(files)))

    def cosign_checkpoint(self, text: bytes) -> bytes:
        encoded = base64.b64encode(text).decode()
        return base64.b64decode(self._call("cosign_checkpoint", text=encoded))

    def log_verifier(self) -> str:
        """The log's public key in the notation of C2SP signed notes."""
        return self._public()[0]

    def witness_verifier(self) -> str:
        """As `log_verifier`, of this cloud as a witness of other logs."""
        return self._public()[1]

    def _public(self) -> tuple[str, str]:
        if self._verifiers is None:
            log, witness = self._call("verifiers")
            self._verifiers = str(log), str(witness)
        return self._verifiers

    def wrap(self, purpose: str, name: str, plain: bytes) -> bytes:
        encoded = base64.b64encode(plain).decode()
        return base64.b64decode(self._call("wrap", purpose=purpose, name=name, plain=encoded))

    def unwrap(self, purpose: str, name: str, wrapped: bytes) -> bytes:
        encoded = base64.b64encode(wrapped).decode()
        return base64.b64decode(self._call("unwrap", purpose=purpose, name=name, wrapped=encoded))

    def rotate(self) -> int:
        """Start sealing tokens with a fresh key; how many keys are live."""
        return int(self._call("rotate"))

    def _call(self, method: str, **arguments: object) -> Any:
        line = msgspec.json.encode({"method": method, **arguments}) + b"\n"
        with self._lock:
            try:
                answer = self._exchange(line)
            except OSError:
                self.close()
                answer = self._exchange(line)
        if "error" in answer:
            raise PermissionError(f"asking the keys role for {method}: {answer['error']}")
        return answer["result"]

    def _exchange(self, line: bytes) -> dict[str, Any]:
        if self._socket is None:
            self._socket = self._connected()
        self._socket.sendall(line)
        received = b""
        while not received.endswith(b"\n"):
            part = self._socket.recv(65536)
            if not part:
                self.close()
                raise ConnectionError(f"the keys role at {self._path} hung up")
            received += part
        return msgspec.json.decode(received, type=dict[str, Any])

    def _connected(self) -> socket.socket:
        """A connection, as soon as the role listens. Errors: OSError when it does not for long."""
        until = time.monotonic() + PATIENCE
        while True:
            made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            made.settimeout(TIMEOUT)
            try:
                made.connect(str(self._path))
            except OSError as error:
                made.close()
                awaited = isinstance(error, (FileNotFoundError, ConnectionRefusedError))
                if not awaited or time.monotonic() > until:
                    raise
                time.sleep(LOOK)
            else:
                return made

    def close(self) -> None:
        """End the connection; a later call makes it anew."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
