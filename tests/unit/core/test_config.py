"""The file of a cloud's settings: what is written is read, by whom it may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from andromede import config


@pytest.mark.parametrize(("database", "mode"), [("", 0o644), ("postgresql://a:b@c/d", 0o600)])
def test_a_password_in_the_settings_is_for_the_owner_alone(
    tmp_path: Path, database: str, mode: int
) -> None:
    wanted = config.new_config(engine="simulated", database=database)
    config.save(tmp_path, wanted)
    assert config.load(tmp_path) == wanted
    assert config.Paths(tmp_path).config.stat().st_mode & 0o777 == mode
