"""What the keys role keeps on disk: a master key, and everything else wrapped by it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from andromede import clock
from andromede.keys.signer import Signer
from andromede.sovereignty.log.note import COSIGNATURE, ED25519

DAY = 24 * 3600 * clock.SECOND
ROTATE_AFTER = DAY
KEEP_FOR = 3 * DAY  # longer than any token lives
PUBLIC = "log.vkey"  # the log's public key, for who reads the folder and needs no other


def _use(purpose: str, name: str) -> str:
    """What binds wrapped bytes to their use; never the name of a key of the vault's own."""
    return f"use\n{purpose}\n{name}"


class TokenKey(Struct, frozen=True):
    """A key that seals tokens, and since when."""

    id: str
    key: bytes
    created: int


class Vault:
    """The key material of one cloud, in a folder only the keys role may enter.

    Errors: ValueError when a file does not open with the master key.
    """

    def __init__(self, folder: Path, mark: str) -> None:
        """`mark` names this cloud among others: its keys' names begin with it."""
        self.folder = folder
        self._master = AESGCM(self._first("master.key", lambda: secrets.token_bytes(32)))
        self.log = self._signer("log", f"{mark}/log", ED25519)
        told = str(self.log.verifier).encode()
        if self._first(PUBLIC, lambda: told) != told:
            self._write(PUBLIC, told)
        self.witness = self._signer("witness", f"{mark}/witness", COSIGNATURE)

    def _signer(self, purpose: str, name: str, kind: int) -> Signer:
        def make() -> bytes:
            return self._wrap(purpose, Ed25519PrivateKey.generate().private_bytes_raw())

        seed = self._unwrap(purpose, self._first(f"{purpose}.wrapped", make))
        return Signer(name, kind, Ed25519PrivateKey.from_private_bytes(seed))

    def token_keys(self) -> list[TokenKey]:
        """The keys tokens may be sealed with, newest first; a stale newest one is followed by a
        fresh one, and keys older than any token are forgotten."""
        now = clock.now()
        keys = self._read_token_keys()
        kept = [key for key in keys if now - key.created < KEEP_FOR]
        if not kept or now - kept[0].created >= ROTATE_AFTER:
            kept.insert(0, TokenKey(secrets.token_hex(2), secrets.token_bytes(32), now))
        if kept != keys:
            self._write("tokens.wrapped", self._wrap("tokens", msgspec.msgpack.encode(kept)))
        return kept

    def rotate_token_keys(self) -> list[TokenKey]:
        """Seal new tokens with a fresh key from now on; the others still open old tokens."""
        fresh = TokenKey(secrets.token_hex(2), secrets.token_bytes(32), clock.now())
        keys = [fresh, *self.token_keys()]
        self._write("tokens.wrapped", self._wrap("tokens", msgspec.msgpack.encode(keys)))
        return keys

    def _read_token_keys(self) -> list[TokenKey]:
        path = self.folder / "tokens.wrapped"
        if not path.exists():
            return []
        plain = self._unwrap("tokens", path.read_bytes())
        return msgspec.msgpack.decode(plain, type=list[TokenKey])

    def wrap(self, purpose: str, name: str, plain: bytes) -> bytes:
        """Encrypt something that others keep; it opens for this purpose and name only."""
        return self._wrap(_use(purpose, name), plain)

    def unwrap(self, purpose: str, name: str, wrapped: bytes) -> bytes:
        """Errors: ValueError when it was not wrapped for this, or was changed."""
        return self._unwrap(_use(purpose, name), wrapped)

    def _wrap(self, purpose: str, plain: bytes) -> bytes:
        nonce = os.urandom(12)
        return nonce + self._master.encrypt(nonce, plain, purpose.encode())

    def _unwrap(self, purpose: str, wrapped: bytes) -> bytes:
        try:
            return self._master.decrypt(wrapped[:12], wrapped[12:], purpose.encode())
        except InvalidTag as error:
            raise ValueError(
                f"{self.folder}: {purpose!r} does not open with master.key; "
                f"put back the master.key it was wrapped with"
            ) from error

    def _first(self, name: str, make: Callable[[], bytes]) -> bytes:
        path = self.folder / name
        if not path.exists():
            self._write(name, make())
        return path.read_bytes()

    def _write(self, name: str, content: bytes) -> None:
        draft = self.folder / f"{name}.new"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        draft.replace(self.folder / name)
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
