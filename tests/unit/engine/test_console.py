"""A console log keeps its tail while its writer appends, whatever the file system can do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from andromede.engine.embedded.machine import console

LINES = b"".join(b"%015d\n" % n for n in range(4_096))


@pytest.mark.parametrize("collapse", [True, False], ids=["collapsing", "rewriting"])
def test_the_tail_stays_and_the_writer_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, collapse: bool
) -> None:
    if not collapse:
        monkeypatch.setattr(console, "FALLOC_FL_COLLAPSE_RANGE", 0x7FFF)  # no such mode
    log = tmp_path / console.LOG
    writer = console.open_log(tmp_path, console.LOG)
    try:
        os.write(writer, LINES)
        assert console.trim(log, kept=16_384, limit=32_768)
        kept = log.read_bytes()
        assert 16_384 <= len(kept) <= 16_384 + os.stat(log).st_blksize
        assert LINES.endswith(kept)
        os.write(writer, b"more\n")
        assert log.read_bytes() == kept + b"more\n"
        assert not console.trim(log, kept=16_384, limit=32_768)
    finally:
        os.close(writer)


def test_no_log_is_nothing_to_trim(tmp_path: Path) -> None:
    assert not console.trim(tmp_path / console.LOG)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(LINES)
    (tmp_path / console.LOG).symlink_to(tmp_path / "secret")
    with pytest.raises(OSError, match="symbolic links"):
        console.trim(tmp_path / console.LOG)
    with pytest.raises(OSError, match="symbolic links"):
        console.open_log(tmp_path, console.LOG)
