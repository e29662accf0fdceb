"""Links lead somewhere, commands and options exist, and nothing that can be set goes untold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer

from andromede.cli.main import app
from andromede.config import Compliance, Config, Place, Protection
from andromede.roles import apidoc
from tests.docs import pages
from tests.docs.pages import PAGES, ROOT

ROOT_COMMAND: Any = typer.main.get_command(app)
ELSEWHERE = {"openstack"}  # what the launcher itself runs


@pytest.mark.parametrize("page", PAGES, ids=pages.name)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in pages.links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in pages.anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=pages.name)
def test_our_commands_exist(page: Path) -> None:
    wrong = [" ".join(words) for words in pages.our_commands(page) if problem(words)]
    assert wrong == []


def test_a_wrong_command_is_seen() -> None:
    assert problem(["fly"])
    assert problem(["up", "--wings", "2"])
    assert problem(["image", "paint"])
    assert not problem(["image", "build", "tiny"])
    assert not problem(["test", "tests/unit", "-k", "word"])


def problem(words: list[str]) -> str:
    """What is wrong with a command line of ours; nothing for a right one."""
    command: Any = ROOT_COMMAND
    rest = list(words)
    while rest and not rest[0].startswith("-") and hasattr(command, "commands"):
        if rest[0] in ELSEWHERE:
            return ""
        if rest[0] not in command.commands:
            return f"no command {rest[0]}"
        command, rest = command.commands[rest[0]], rest[1:]
    if command.context_settings.get("ignore_unknown_options"):
        return ""
    known = {option for each in command.params for option in each.opts} | {"--help", "-h"}
    strange = [each for each in rest if each.startswith("-") and each.split("=")[0] not in known]
    return f"no option {strange[0]}" if strange else ""


def test_every_command_is_in_the_guide() -> None:
    told = {words[0] for words in pages.our_commands(ROOT / "docs/guide/operating.md") if words}
    assert set(ROOT_COMMAND.commands) <= told


def test_every_setting_is_told() -> None:
    page = (ROOT / "docs/guide/operating.md").read_text()
    settings = [each.encode_name for each in msgspec.structs.fields(Config)]
    settings += [f"place.{each.encode_name}" for each in msgspec.structs.fields(Place)]
    settings += [
        f"security_compliance.{each.encode_name}" for each in msgspec.structs.fields(Compliance)
    ]
    settings += [
        f"image_properties.{each.encode_name}" for each in msgspec.structs.fields(Protection)
    ]
    assert [each for each in settings if f"| `{each}` |" not in page] == []


def test_the_page_of_the_api_is_current() -> None:
    told = (ROOT / "docs/api.md").read_text()
    assert told == apidoc.page(), "run: python -m andromede.roles.apidoc > docs/api.md"


def test_every_record_is_in_the_index() -> None:
    folder = ROOT / "docs/adr"
    told = set(pages.links(folder / "README.md"))
    assert told == {each.name for each in folder.glob("[0-9]*.md")}
