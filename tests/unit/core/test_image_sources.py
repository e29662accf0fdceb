"""Where images may be fetched from: what an attacker would name, and what an operator allows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from andromede import config
from andromede.services.image.imports import sources
from andromede.services.image.imports.sources import SourceError

PUBLIC = "93.184.216.34"
FORBIDDEN = [
    "127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.5.5", "192.168.1.1", "100.64.0.1",
    "169.254.169.254", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1",
    "::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::", "2002:c0a8:101::1", "2001:0:7f00:1::1",
]  # fmt: skip


def asked(url: str, *answers: str, allowed: Sequence[str] = ()) -> str:
    """The address that would be connected to."""
    return sources.address_of(sources.parse(url), allowed, lambda _, __: list(answers))


@pytest.mark.parametrize("address", FORBIDDEN)
def test_no_name_leads_inside(address: str) -> None:
    with pytest.raises(SourceError, match="no public address"):
        asked("http://images.example/a", address)
    with pytest.raises(SourceError, match="no public address"):
        asked("http://images.example/a", PUBLIC, address)
    literal = f"[{address}]" if ":" in address else address
    with pytest.raises(SourceError, match="no public address"):
        sources.check(sources.parse(f"http://{literal}/a"), ())


@pytest.mark.parametrize("address", [PUBLIC, "2606:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_are_reached(address: str) -> None:
    assert asked("https://images.example/a", address) == address
    literal = f"[{address}]" if ":" in address else address
    assert asked(f"http://{literal}/", address) == address


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost"])
def test_other_spellings_of_an_address_are_judged_as_what_they_resolve_to(host: str) -> None:
    with pytest.raises(SourceError, match="no public address"):
        sources.address_of(sources.parse(f"http://{host}/"), ())


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (None, "at most"), ("", "at most"), ("http://h/" + "a" * 2048, "at most"),
        (3, "at most"), ("http://h/a b", "printable"), ("http://h/\r\nHost: x", "printable"),
        ("http://h/é", "printable"), ("file:///etc/passwd", "scheme"), ("ftp://h/a", "scheme"),
        ("gopher://h/a", "scheme"), ("//h/a", "scheme"), ("http:///a", "no host"),
        ("http://./a", "no host"), ("http://u:p@h/", "user"), ("http://u@h/", "user"),
        ("http://h:99999/", "no URL"), ("http://h:x/", "no URL"), ("http://[::1/", "no URL"),
    ],
)  # fmt: skip
def test_what_is_no_url_to_fetch(url: object, why: str) -> None:
    with pytest.raises(SourceError, match=why):
        sources.parse(url)


def test_a_url_in_its_parts() -> None:
    assert sources.parse("https://A.example./x?y=1#z") == sources.Source(
        "https", "a.example", 443, "/x?y=1"
    )
    assert sources.parse("http://h").target == "/"


@pytest.mark.parametrize(
    "url", ["http://h:22/", "https://h:80/", "http://h:443/", "http://h:8443/"]
)
def test_other_ports_are_not_reached(url: str) -> None:
    with pytest.raises(SourceError, match="port"):
        asked(url, PUBLIC)


def test_names_that_lead_nowhere() -> None:
    with pytest.raises(SourceError, match="no address"):
        asked("http://h/")

    def unknown(_: str, __: int) -> list[str]:
        raise OSError("unknown name")

    with pytest.raises(SourceError, match="unknown name"):
        sources.address_of(sources.parse("http://h/"), (), unknown)


def test_what_an_operator_allows() -> None:
    inside = "http://mirror:8080/a"
    assert asked(inside, "10.0.0.5", allowed=["mirror:8080"]) == "10.0.0.5"
    assert asked("http://mirror/a", "10.0.0.5", allowed=["mirror"]) == "10.0.0.5"
    assert asked("http://mirror/a", "10.0.0.5", allowed=["10.0.0.0/24"]) == "10.0.0.5"
    assert asked("http://[fd00::1]:81/", "fd00::1", allowed=["[fd00::1]:81"]) == "fd00::1"
    assert asked("http://mirror/", "fe80::1%eth0", allowed=["fe80::/10"]) == "fe80::1%eth0"
    for allowed in (["mirror"], ["10.0.0.0/24"], ["mirror:8081"], []):
        with pytest.raises(SourceError):
            asked(inside, "10.0.0.5", allowed=allowed)
    with pytest.raises(SourceError):
        asked("http://mirror/a", "10.0.1.5", allowed=["10.0.0.0/24"])


def test_the_setting(tmp_path: Path) -> None:
    whole = config.new_config(image_sources=["mirror", "mirror:8080", "10.0.0.0/8", "[::1]:80"])
    config.save(tmp_path, whole)
    assert config.load(tmp_path).image_sources == (
        "mirror",
        "mirror:8080",
        "10.0.0.0/8",
        "[::1]:80",
    )
    for wrong in ("", "h:0", "h:x", ":80", "10.0.0.1/8", "h:99999"):
        config.save(tmp_path, msgspec.structs.replace(whole, image_sources=(wrong,)))
        with pytest.raises(ValueError, match="image_sources"):
            config.load(tmp_path)
