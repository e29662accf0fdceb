"""Reading apt's answers and archives' headers."""

from pathlib import Path

import pytest

from andromede.guest.errors import GuestBuildError
from andromede.guest.packages import (
    archive_epoch,
    archive_name,
    parse_simulation,
    placeholder_status,
)

SIMULATION = """NOTE: This is only a simulation!
Inst zlib1g (1:1.2.13.dfsg-1 Debian:12.5/stable [amd64])
Inst libc6 (2.36-9 Debian:12/stable, Debian-Security:12/stable-security [amd64]) [zlib1g:amd64 ]
Conf libc6 (2.36-9 Debian:12/stable [amd64])
"""


def test_simulation_gives_sorted_packages() -> None:
    assert parse_simulation(SIMULATION) == [
        ("libc6", "2.36-9", "amd64"),
        ("zlib1g", "1:1.2.13.dfsg-1", "amd64"),
    ]


def test_archive_name_escapes_the_epoch() -> None:
    assert archive_name("zlib1g", "1:1.2", "amd64") == "zlib1g_1%3a1.2_amd64.deb"


def test_placeholder_provides_every_name() -> None:
    assert "Provides: perl (= 999:0), udev (= 999:0), linux" in placeholder_status(["perl", "udev"])


def test_what_is_asked_of_any_architecture_has_a_package_of_its_own() -> None:
    stanzas = placeholder_status([]).split("\n\n")
    assert any("Package: perl\n" in each and "Multi-Arch: allowed" in each for each in stanzas)


def test_epoch_is_read_from_the_archive(tmp_path: Path) -> None:
    archive = tmp_path / "a.deb"
    member = b"debian-binary   " + b"1700000000  " + b"0     0     100644  4         `\n"
    archive.write_bytes(b"!<arch>\n" + member + b"2.0\n")
    assert archive_epoch(archive) == 1700000000


def test_what_is_no_archive_is_named(tmp_path: Path) -> None:
    archive = tmp_path / "a.deb"
    archive.write_bytes(b"<html>")
    with pytest.raises(GuestBuildError, match="is no Debian archive"):
        archive_epoch(archive)
