"""The command that fetches evidence: by id or name, once all is numbered, into a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from andromede.cli import evidence
from andromede.cli.client import ApiFailure
from andromede.cli.errors import CliError
from andromede.sovereignty.evidence.archive import pack


class Fake:
    """A session of project p1; `pending` are the answers' counts of leaves without a number."""

    project_id = "p1"

    left: tuple[dict[str, Any], ...] = ()

    def __init__(self, pending: list[int], projects: list[str] | None = None) -> None:
        self.pending = pending
        self.projects = projects
        self.asked: list[str] = []
        self.closed = False

    def download(self, service: str, path: str) -> tuple[bytes, dict[str, str]]:
        assert service == "sovereignty"
        self.asked.append(path)
        left = self.pending.pop(0) if len(self.pending) > 1 else self.pending[0]
        told = {"left_out": self.left} if self.left else {}
        document = json.dumps({"log": {"pending": left}, **told}).encode()
        name = {"content-disposition": 'attachment; filename="evidence-p1-2026-11-22.zip"'}
        return pack({"evidence.json": document}), name

    def call(self, service: str, method: str, path: str, body: Any = None, **query: str) -> Any:
        if path == "/auth/projects":
            return {"projects": [{"id": "p1", "name": "mine"}]}
        if self.projects is None:
            raise ApiFailure(method, path, 403, "no")
        return {"projects": [{"id": each} for each in self.projects]}

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def fetch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)

    def work(fake: Fake, project: str, out: Path | None = None) -> Fake:
        monkeypatch.setattr(evidence, "open_session", lambda state: fake)
        evidence.fetch(tmp_path, project, out)
        return fake

    return work


def test_it_waits_until_all_leaves_have_their_number(fetch: Any, tmp_path: Path) -> None:
    fake = fetch(Fake([2, 1, 0]), "p1")
    assert fake.asked == ["/evidence/p1"] * 3
    assert fake.closed
    assert (tmp_path / "evidence-p1-2026-11-22.zip").exists()


def test_it_says_what_is_left_out(fetch: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fake = Fake([0])
    fake.left = ({"what": "own acts", "count": 7, "before": 1_000_000},)
    fetch(fake, "p1")
    assert "7 own acts from before 1970-01-01T00:00:01Z are left out" in capsys.readouterr().out


def test_it_writes_where_it_is_told(
    fetch: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "here.zip"
    fetch(Fake([0]), "p1", out)
    assert out.exists()
    assert f"andromede verify {out}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("projects", "asked"), [(["p7"], "p7"), ([], "ministry"), (None, "ministry")]
)
def test_projects_are_found_by_name(fetch: Any, projects: list[str] | None, asked: str) -> None:
    assert fetch(Fake([0], projects), "ministry").asked == [f"/evidence/{asked}"]


def test_a_customer_may_name_its_own(fetch: Any) -> None:
    assert fetch(Fake([0]), "mine").asked == ["/evidence/p1"]


def test_an_ambiguous_name_is_refused(fetch: Any) -> None:
    with pytest.raises(CliError, match="2 projects are called ministry: a, b"):
        fetch(Fake([0], ["a", "b"]), "ministry")


def test_it_says_when_leaves_are_never_numbered(
    fetch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "NUMBERED_WITHIN", 0.1)
    with pytest.raises(CliError, match="not numbered"):
        fetch(Fake([1]), "p1")
