"""When the accelerator is probed, and how long a verdict is believed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from andromede.config import Paths
from andromede.engine.embedded import accel
from andromede.engine.embedded.accel import Verdict

KERNEL = Path("/boot/vmlinuz")


class Probes:
    """Stands for the host: what it is, and what booting shows."""

    def __init__(self) -> None:
        self.host = ["one processor"]
        self.kernels: list[Path | None] = []
        self.name = "kvm"

    def probe(self, kernel: Path | None) -> Verdict:
        self.kernels.append(kernel)
        return Verdict(name=self.name, reason="tried", proof="kernel" if kernel else "sector")


@pytest.fixture
def probes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Probes]:
    made = Probes()
    monkeypatch.setattr(accel, "fingerprint", lambda: list(made.host))
    monkeypatch.setattr(accel, "probe", made.probe)
    monkeypatch.setattr(accel, "_known", {})
    return made


def another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accel, "_known", {})


def test_a_verdict_is_taken_once(
    probes: Probes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = accel.accelerator(Paths(tmp_path))
    assert accel.accelerator(Paths(tmp_path)) == first
    another_process(monkeypatch)
    assert accel.accelerator(Paths(tmp_path)) == first
    assert probes.kernels == [None]


def test_another_host_is_probed_anew(
    probes: Probes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accel.accelerator(Paths(tmp_path))
    another_process(monkeypatch)
    probes.host, probes.name = ["another processor"], "tcg"
    assert accel.accelerator(Paths(tmp_path)).name == "tcg"
    assert len(probes.kernels) == 2


def test_a_kernel_replaces_the_weaker_proof_and_not_the_other_way(
    probes: Probes, tmp_path: Path
) -> None:
    assert accel.accelerator(Paths(tmp_path)).proof == "sector"
    probes.name = "tcg"
    assert accel.accelerator(Paths(tmp_path), KERNEL).name == "tcg"
    assert accel.accelerator(Paths(tmp_path)).proof == "kernel"
    assert probes.kernels == [None, KERNEL]


def test_a_guests_kernel_is_booted_once_it_is_unpacked(probes: Probes, tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    accel.accelerator(paths)
    built = paths.cache / "trees" / "package" / "boot" / "vmlinuz-6.1"
    built.parent.mkdir(parents=True)
    built.touch()
    for _ in range(2):
        assert accel.accelerator(paths).proof == "kernel"
    assert probes.kernels == [None, built]


def test_fresh_probes_whatever_is_remembered(probes: Probes, tmp_path: Path) -> None:
    accel.accelerator(Paths(tmp_path), KERNEL)
    accel.accelerator(Paths(tmp_path), KERNEL, fresh=True)
    assert probes.kernels == [KERNEL, KERNEL]


def test_a_broken_memory_is_no_verdict(
    probes: Probes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accel.accelerator(Paths(tmp_path))
    (tmp_path / "accelerator.json").write_text("{")
    another_process(monkeypatch)
    assert accel.accelerator(Paths(tmp_path)).name == "kvm"
    assert len(probes.kernels) == 2


def test_a_host_without_kvm_emulates(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(accel, "KVM", tmp_path / "kvm")
    verdict = accel.probe(None)
    assert (verdict.name, verdict.proof) == ("tcg", "none")
    assert "missing" in verdict.reason


@pytest.mark.parametrize("kernel", [None, KERNEL])
@pytest.mark.parametrize("reached", [True, False])
def test_what_boots_decides(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, reached: bool, kernel: Path | None
) -> None:
    monkeypatch.setattr(accel, "KVM", tmp_path)
    monkeypatch.setattr(accel, "_boot", lambda *_: (reached, "emulation failure"))
    verdict = accel.probe(kernel)
    assert verdict.name == ("kvm" if reached else "tcg")
    assert ("emulation failure" in verdict.reason) is not reached
    assert ("weaker" in verdict.reason) is (kernel is None)
