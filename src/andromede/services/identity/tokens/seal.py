"""The envelope of tokens: a payload under a keyed tag, and the keys it may be under.

Layout before base64url: version (1 byte), length of the key id (1), key id, payload, tag (16).
The tag is HMAC-SHA-256 truncated to 128 bits, as RFC 4868 section 2.3 has it.
"""

from __future__ import annotations

import hmac
import threading
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable

import structlog

from andromede.cloud import Keys

VERSION = 1
TAG = 16
LONGEST = 254
REFETCH = 1.0  # seconds between two fetches that unknown key ids may cause
STALE = 30.0  # seconds after which the keys are fetched anyway, so that a rotation takes hold

log = structlog.get_logger("identity")


class Broken(ValueError):
    """What was given is no token of this cloud, or was changed."""


class KeyRing:
    """The token keys as the keys role last gave them."""

    def __init__(self, keys: Keys, clock: Callable[[], float] = time.monotonic) -> None:
        self._source = keys
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: dict[bytes, bytes] = {}  # replaced whole; its first key seals
        self.fetching: threading.Thread | None = None  # the last fetch beside a request
        self._fetched = float("-inf")

    def seal(self, payload: bytes) -> str:
        """A token around the payload, under the first key."""
        self._keep_fresh()
        name, key = next(iter(self._keys.items()))
        body = bytes((VERSION, len(name))) + name + payload
        tag = hmac.digest(key, body, "sha256")[:TAG]
        return urlsafe_b64encode(body + tag).rstrip(b"=").decode()

    def open(self, token: str) -> bytes:
        """The payload of a token.

        Errors: Broken when it is none, was changed, or its key is no longer in use.
        """
        raw = _decode(token)
        end = 2 + raw[1]
        key = self._key(raw[2:end])
        body, tag = raw[:-TAG], raw[-TAG:]
        if key is None or not hmac.compare_digest(hmac.digest(key, body, "sha256")[:TAG], tag):
            raise Broken("the token was not sealed by this cloud")
        return body[end:]

    def _key(self, name: bytes) -> bytes | None:
        self._keep_fresh()
        if name not in self._keys:
            self._refresh(REFETCH)
        return self._keys.get(name)

    def _keep_fresh(self) -> None:
        """Have keys; when they are stale, fetch them beside the request, which does not wait."""
        if not self._keys:
            self._refresh(STALE)
        elif self._clock() - self._fetched >= STALE and not self._lock.locked():
            self.fetching = threading.Thread(target=self._refresh, args=(STALE,), daemon=True)
            self.fetching.start()

    def _refresh(self, age: float) -> None:
        """Fetch the keys when they are older than `age` seconds; keep them when that fails."""
        if self._keys and self._clock() - self._fetched < age:
            return
        with self._lock:
            if self._keys and self._clock() - self._fetched < age:
                return
            self._fetched = self._clock()
            try:
                self._keys = {name.encode(): key for name, key in self._source.token_keys()}
            except (OSError, RuntimeError) as error:
                if not self._keys:
                    raise
                log.warning("token keys not refreshed", error=str(error))


def _decode(token: str) -> bytes:
    if len(token) > LONGEST or not token.isascii():
        raise Broken("the token is not of a length this cloud gives")
    text = token.encode()
    try:
        raw = urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    except ValueError as error:
        raise Broken("the token is not base64url") from error
    if urlsafe_b64encode(raw).rstrip(b"=") != text:
        raise Broken("the token is not spelled as this cloud spells them")
    if len(raw) < 2 or raw[0] != VERSION or len(raw) < 2 + raw[1] + TAG:
        raise Broken("the token is of no version this cloud knows")
    return raw


_rings: dict[int, KeyRing] = {}  # a ring keeps its source, so the id stays its own


def key_ring(keys: Keys) -> KeyRing:
    """The one ring of this process for a keys role."""
    return _rings.setdefault(id(keys), KeyRing(keys))
