"""Passcodes, against the test vectors of RFC 6238, appendix B (six of their eight digits)."""

from __future__ import annotations

import base64
from urllib.parse import parse_qs, urlsplit

import pytest

from andromede import totp

SECRET = b"12345678901234567890"
VECTORS = {
    59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924",
    2000000000: "279037", 20000000000: "353130",
}  # fmt: skip


@pytest.mark.parametrize(("seconds", "passcode"), VECTORS.items())
def test_the_vectors_of_the_standard(seconds: int, passcode: str) -> None:
    assert totp.code(SECRET, seconds // totp.STEP) == passcode
    assert totp.matching(SECRET, passcode, seconds) == seconds // totp.STEP


def test_a_clock_may_be_off_by_one_step() -> None:
    passcode, step = totp.code(SECRET, 1000), 1000
    for off in (-1, 0, 1):
        assert totp.matching(SECRET, passcode, (step + off) * totp.STEP) == step
    for off in (-2, 2):
        assert totp.matching(SECRET, passcode, (step + off) * totp.STEP) is None


def test_secrets_are_base32_of_128_bits_or_more() -> None:
    text = base64.b32encode(SECRET).decode()
    assert totp.secret_of(text) == SECRET
    assert totp.secret_of(text.lower()) == SECRET
    assert totp.secret_of(base64.b32encode(b"x" * 16).decode().rstrip("=")) == b"x" * 16
    for wrong in ("", "not base32!", base64.b32encode(b"x" * 15).decode(), "é" * 32, "A" * 27):
        with pytest.raises(ValueError, match="the secret"):
            totp.secret_of(wrong)


def test_the_uri_for_authenticators() -> None:
    parts = urlsplit(totp.uri("JBSWY3DP", "ada", "my cloud"))
    assert (parts.scheme, parts.netloc, parts.path) == ("otpauth", "totp", "/my%20cloud:ada")
    assert parse_qs(parts.query) == {"secret": ["JBSWY3DP"], "issuer": ["my cloud"]}
