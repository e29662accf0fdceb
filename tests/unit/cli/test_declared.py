"""What `up` is told of the place: by options, by questions, or by a file of the world."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from andromede import config as configuration
from andromede.cli import declared
from andromede.cli.declared import Declared
from andromede.cli.errors import USAGE, CliError
from andromede.config import Config

WORLD = """
[[sites]]
name = "paris"
region = "RegionTwo"
country = "FR"
operator = "cloudwatt"
hosts = ["here"]

[[entities]]
id = "cloudwatt"
name = "Cloudwatt"
"""
LYON = '[[sites]]\nname = "lyon"\n'


@pytest.fixture
def config() -> Config:
    place = configuration.Place(host="here")
    return configuration.new_config(engine="simulated", place=place)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "world.toml"
    path.write_text(WORLD)
    return path


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_nobody_answers_and_it_is_undeclared(tmp_path: Path, config: Config) -> None:
    place = Declared().placed(tmp_path, config).place
    assert (place.site, place.country, place.operator) == ("local", "undeclared", "undeclared")


def test_options_say_it(tmp_path: Path, config: Config) -> None:
    given = Declared(site="paris", country="FR", operator="Cloudwatt SA")
    place = given.placed(tmp_path, config).place
    assert (place.site, place.country, place.operator) == ("paris", "FR", "Cloudwatt SA")
    assert place.host == "here"


def test_questions_are_asked_until_the_answer_will_do(
    tmp_path: Path, config: Config, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(declared.sys, "stdin", Terminal("a b\nparis\nFrance\nfr\nFR\n\n"))
    place = Declared().placed(tmp_path, config).place
    assert (place.site, place.country, place.operator) == ("paris", "FR", "undeclared")
    said = capsys.readouterr().err
    assert said.count("two letters as in FR are accepted") == 2
    assert "[undeclared]" in said


def test_what_was_given_is_not_asked(
    tmp_path: Path, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(declared.sys, "stdin", Terminal("Cloudwatt\n"))
    place = Declared(site="paris", country="FR").placed(tmp_path, config).place
    assert place.operator == "Cloudwatt"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (Declared(site="a b"), "--site"), (Declared(country="France"), "ISO 3166-1"),
        (Declared(country="EU"), "ISO 3166-1"), (Declared(operator=""), "--operator"),
        (Declared(operator="x" * 256), "--operator"),
    ],
)  # fmt: skip
def test_faulty_options_are_refused(
    tmp_path: Path, config: Config, given: Declared, says: str
) -> None:
    with pytest.raises(CliError, match=says) as refused:
        given.placed(tmp_path, config)
    assert refused.value.code == USAGE


def test_a_file_says_it_all(tmp_path: Path, config: Config, file: Path) -> None:
    given = Declared(file=file)
    place = given.placed(tmp_path / "state", config).place
    assert (place.site, place.region, place.country) == ("paris", "RegionTwo", "FR")
    assert place.operator == "cloudwatt"
    assert given.document is not None


def test_of_several_sites_the_one_that_lists_this_host(
    tmp_path: Path, config: Config, file: Path
) -> None:
    file.write_text(WORLD + LYON)
    assert Declared(file=file).placed(tmp_path / "state", config).place.site == "paris"
    named = Declared(file=file, site="lyon").placed(tmp_path / "state", config)
    assert named.place.site == "lyon"


@pytest.mark.parametrize(
    ("text", "given", "says"),
    [
        (WORLD.replace("here", "there") + LYON, {}, "name one with --site"),
        (WORLD, {"site": "lyon"}, "name one with --site"),
        ("", {}, "there are: none"),
        (WORLD, {"country": "FR"}, "--country"),
        (WORLD, {"operator": "x"}, "--operator"),
        (WORLD.replace("FR", "XX"), {}, "does not hold together"),
        ("[[", {}, "reading"),
    ],
)
def test_faulty_files_are_refused(
    tmp_path: Path, config: Config, file: Path, text: str, given: dict[str, str], says: str
) -> None:
    file.write_text(text)
    with pytest.raises(CliError, match=says):
        Declared(file=file, **given).placed(tmp_path / "state", config)
    assert not (tmp_path / "state").exists()


def test_a_later_start_keeps_the_place(tmp_path: Path, config: Config, file: Path) -> None:
    configuration.save(tmp_path, config)
    same = Declared(site="local", country="undeclared").placed(tmp_path, config)
    assert same == config
    with pytest.raises(CliError, match="andromede sovereignty site set local"):
        Declared(country="FR").placed(tmp_path, config)
    with pytest.raises(CliError, match="site local, where this host stands"):
        Declared(file=file).placed(tmp_path, config)
    file.write_text(WORLD.replace("paris", "local"))
    assert Declared(file=file).placed(tmp_path, config) == config
