"""The cloud's own certificate authority, and the certificate both listeners present. Touches one
folder."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from andromede import clock

CA_DAYS = 3_650
LEAF_DAYS = 397
RENEW_BEFORE = dt.timedelta(days=45)
AUTHORITY, SERVER, SERVER_KEY = "ca.pem", "server.pem", "server.key"


def ensure(folder: Path, cloud: str, hosts: list[str], owner: int) -> bool:
    """Have `ca.pem`, and `server.pem` with its key for these hosts, readable by `owner` alone;
    whether the latter was made now.

    The authority's key stays with root. A certificate that lacks a host, is not of the key beside
    it or ends within 45 days is made anew.
    """
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    if not (folder / AUTHORITY).exists():
        _make_authority(folder, cloud)
    if _serves(folder, hosts):
        return False
    _make_leaf(folder, cloud, hosts, owner)
    return True


def left(certificate: Path) -> dt.timedelta:
    """How long a certificate is still good; negative when it ended.

    Errors: FileNotFoundError; ValueError when the file holds none.
    """
    return x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc - _now()


def _now() -> dt.datetime:
    return dt.datetime.fromtimestamp(clock.now() / clock.SECOND, dt.UTC)


def _make_authority(folder: Path, cloud: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{cloud} certificate authority")])
    certificate = (
        _builder(name, name, key.public_key(), CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(folder / "ca.key", _private(key), 0o600)
    _write(folder / AUTHORITY, certificate.public_bytes(serialization.Encoding.PEM), 0o644)


def _make_leaf(folder: Path, cloud: str, hosts: list[str], owner: int) -> None:
    authority = x509.load_pem_x509_certificate((folder / AUTHORITY).read_bytes())
    signer = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cloud)])
    certificate = (
        _builder(name, authority.subject, key.public_key(), LEAF_DAYS)
        .add_extension(x509.SubjectAlternativeName(_names(hosts)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()),
            critical=False,
        )
        .sign(signer, hashes.SHA256())
    )
    _write(folder / SERVER_KEY, _private(key), 0o600, owner)
    _write(folder / SERVER, certificate.public_bytes(serialization.Encoding.PEM), 0o644)


def _serves(folder: Path, hosts: list[str]) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate((folder / SERVER).read_bytes())
        key = serialization.load_pem_private_key((folder / SERVER_KEY).read_bytes(), None)
    except (FileNotFoundError, ValueError):
        return False
    if certificate.public_key() != key.public_key() or left(folder / SERVER) < RENEW_BEFORE:
        return False
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return set(_names(hosts)) <= set(names)


def _names(hosts: list[str]) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = []
    for host in hosts:
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(host)))
        except ValueError:
            names.append(x509.DNSName(host))
    return names


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    now = _now()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=days))
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write(path: Path, content: bytes, mode: int, owner: int | None = None) -> None:
    draft = path.with_name(path.name + ".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    if owner is not None and os.geteuid() == 0:
        os.chown(draft, owner, owner)
    draft.replace(path)
