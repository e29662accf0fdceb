"""The probe's boot sector, and the verdict on this host."""

from __future__ import annotations

from pathlib import Path

import pytest

from andromede.config import Paths
from andromede.engine.embedded import accel
from andromede.engine.embedded.machine import preflight

pytestmark = pytest.mark.host


def test_the_boot_sector_says_so_when_it_boots() -> None:
    assert accel._boot_sector("tcg") == (True, "")


def test_a_guest_that_says_nothing_has_not_booted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accel, "SECTOR", b"\xfa\xf4")
    monkeypatch.setattr(accel, "PATIENCE", 1.0)
    reached, said = accel._boot_sector("tcg")
    assert not reached
    assert "within 1 s" in said


def test_this_host_has_a_verdict_with_a_reason(tmp_path: Path) -> None:
    verdict = accel.accelerator(Paths(tmp_path), fresh=True)
    assert verdict.name in ("kvm", "tcg")
    assert verdict.reason
    assert (tmp_path / "accelerator.json").exists()


def test_the_preflight_names_what_a_host_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = Paths(tmp_path)
    before = {lack.name for lack in preflight.check(paths)}
    assert not before & {"root", "namespaces", "qemu-img"}
    monkeypatch.setattr(preflight, "LEAST_DISK", 1 << 62)
    monkeypatch.setattr(preflight, "TOOLS", {"/nowhere/qemu-img": ("qemu-utils", "no disk")})
    after = {lack.name: lack for lack in preflight.check(paths)}
    assert after["qemu-img"].remedy == "apt-get install qemu-utils"
    assert any(name.startswith("disk:") for name in after)
