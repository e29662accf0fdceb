"""The Ed25519 keys of the log and of the witness, which sign texts that are made or checked here."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from andromede import clock
from andromede.sovereignty.evidence import manifest
from andromede.sovereignty.log.note import (
    TIMESTAMP,
    Verifier,
    cosigned,
    read_checkpoint,
    signature_line,
)


class Signer:
    """A key by its name and kind of signature. Payloads begin with the key's id (C2SP signed-note)."""

    def __init__(self, name: str, kind: int, key: Ed25519PrivateKey) -> None:
        self.verifier = Verifier(name, kind, key.public_key().public_bytes_raw())
        self._key = key

    def sign(self, text: bytes) -> bytes:
        """The payload under a checkpoint of the log that the key is named after.

        Errors: ValueError for any other text.
        """
        head = read_checkpoint(text.decode())
        if head.origin != self.verifier.name:
            raise ValueError(f"{self.verifier.name} signs no checkpoint of {head.origin}")
        return self.verifier.key_id + self._key.sign(text)

    def sign_manifest(self, project: str, files: Sequence[tuple[str, str]]) -> str:
        """The signed note over an evidence archive's digests, whose text is made here.

        Errors: ManifestError (a ValueError).
        """
        text = manifest.text(self.verifier.name, project, files)
        payload = self.verifier.key_id + self._key.sign(text.encode())
        return f"{text}\n{signature_line(self.verifier.name, payload)}"

    def cosign(self, text: bytes) -> bytes:
        """The payload of a cosignature/v1 of this second under another log's checkpoint.

        Errors: ValueError when it is no checkpoint.
        """
        read_checkpoint(text.decode())
        time = clock.now() // clock.SECOND
        signature = self._key.sign(cosigned(text.decode(), time))
        return self.verifier.key_id + time.to_bytes(TIMESTAMP) + signature
