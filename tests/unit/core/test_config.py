"""The file of a cloud's settings: what is written is read, by whom it may be."""

from __future__ import annotations

import socket
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


def test_protected_properties_are_kept_as_a_list_of_tables(tmp_path: Path) -> None:
    rules = [
        {"name": "billing_*", "create": ["admin"], "read": ["@"]},
        {"name": "licence"},
    ]
    wanted = config.new_config(engine="simulated", image_properties=rules)
    config.save(tmp_path, wanted)
    assert config.load(tmp_path) == wanted
    path = config.Paths(tmp_path).config
    assert path.read_text().count("[[image_properties]]") == 2
    path.write_text(path.read_text().replace('"admin"', '""'))
    with pytest.raises(ValueError, match="an empty word for 'billing_"):
        config.load(tmp_path)


def test_a_host_has_a_name(tmp_path: Path) -> None:
    """Ports and engines are told apart by it: of an empty one no worker would take care."""
    config.save(tmp_path, config.new_config(engine="simulated"))
    file = config.Paths(tmp_path).config
    [line] = (each for each in file.read_text().splitlines() if each.startswith("host = "))
    text = file.read_text()
    file.write_text(text.replace(line, ""))
    assert config.load(tmp_path).place.host == socket.gethostname()
    file.write_text(text.replace(line, 'host = ""'))
    with pytest.raises(ValueError, match=r"host of \[place\] is empty: a name is accepted"):
        config.load(tmp_path)
