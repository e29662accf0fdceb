"""Programs of the host that are called with a lock held: they end, or are ended."""

from __future__ import annotations

import pytest

from andromede.engine.embedded import call as calls
from andromede.engine.embedded.call import call
from andromede.engine.protocol import EngineError


def test_a_program_that_ends_is_heard() -> None:
    done = call(["sh", "-c", "cat; exit 3"], "asking", input="said", capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (3, "said")


def test_one_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "PATIENCE", 0.05)
    with pytest.raises(EngineError, match=r"asking: sleep did not end within 0\.05 s") as told:
        call(["sleep", "1000"], "asking")
    assert not told.value.permanent


def test_one_that_is_missing_is_an_error_of_the_system() -> None:
    with pytest.raises(FileNotFoundError):
        call(["no-such-program"], "asking")
