"""Public keys read and fingerprinted, and key pairs generated. Pure, and slow where it generates.

Source: RFC 4716 section 4 (the MD5 fingerprint of an SSH public key).
"""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from andromede import clock
from andromede.http.errors import BadRequest

BITS = 2048
VALID_DAYS = 3650
UTF8 = 0x0C  # the tag of a text in X.690; its length is a byte, for ids are shorter than 128
PRINCIPAL_NAME = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
LONGEST = 16_384  # bytes of a public key's text


def fingerprint(public_key: str, kind: str) -> str:
    """Of an SSH public key (MD5) or of an X.509 certificate in PEM (SHA-1), in pairs with colons.

    Errors: BadRequest when it is no such key.
    """
    try:
        if len(public_key) > LONGEST:
            raise ValueError(f"it is longer than {LONGEST} characters")
        return _colons(_ssh(public_key) if kind == "ssh" else _certificate(public_key))
    except (ValueError, IndexError, TypeError, UnsupportedAlgorithm) as error:
        wanted = "an OpenSSH public key" if kind == "ssh" else "a PEM certificate"
        raise BadRequest(
            f"Keypair data is invalid: failed to generate fingerprint: {error}; {wanted} is "
            f"accepted."
        ) from error


def _signed(key: rsa.RSAPrivateKey, user_id: str) -> str:
    """A certificate for logging in as `user_id@localhost`, in PEM, that its own key signs."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, user_id)])
    principal = f"{user_id}@localhost".encode()
    told = x509.OtherName(PRINCIPAL_NAME, bytes([UTF8, len(principal)]) + principal)
    now = datetime.fromtimestamp(clock.now() // clock.SECOND, UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=VALID_DAYS))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([told]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


def _ssh(public_key: str) -> bytes:
    serialization.load_ssh_public_key(public_key.encode())
    raw = base64.b64decode(public_key.split()[1])
    return hashlib.md5(raw, usedforsecurity=False).digest()


def _certificate(pem: str) -> bytes:
    return x509.load_pem_x509_certificate(pem.encode()).fingerprint(hashes.SHA1())  # noqa: S303


def _colons(digest: bytes) -> str:
    return ":".join(f"{byte:02x}" for byte in digest)


def generate(kind: str, user_id: str) -> tuple[str, str]:
    """A fresh RSA key pair: the private key in PEM; the public key as OpenSSH writes it, or in a
    certificate in PEM by which a Windows guest knows the user.

    Source: MS-WCCE 2.2.2.7.5 (the user's principal name in a certificate).
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    if kind == "x509":
        return private.decode(), _signed(key, user_id)
    public = key.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    return private.decode(), f"{public.decode()} Generated-by-Andromede"
