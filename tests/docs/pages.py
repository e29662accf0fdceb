"""The pages of this repository as tests read them: links, anchors, and the commands in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)
CODE = re.compile(r"`([^`\n]+)`")
OURS = re.compile(r"(?:^|\$\(|=)(?:[^\s\"]*/)?andromede (.+)")
PROMPTS = ("$ ", "# ")


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def prose(page: Path) -> str:
    """The page without its blocks of code."""
    return FENCE.sub("", page.read_text())


def blocks(page: Path, kind: str) -> Iterator[str]:
    """The content of every block of that kind."""
    for info, content in FENCE.findall(page.read_text()):
        if info.strip() == kind:
            yield content


def links(page: Path) -> list[str]:
    """The targets of links that stay in this repository."""
    found = LINK.findall(re.sub(r"\]\s*\n\s*\(", "](", prose(page)))
    return [each for each in found if not re.match(r"[a-z]+:", each)]


def anchors(page: Path) -> set[str]:
    """The names by which headings are linked to."""
    titles = (re.sub(r"[^\w\- ]", "", each.lower()) for each in HEADING.findall(prose(page)))
    return {each.strip().replace(" ", "-") for each in titles}


def prompted(content: str) -> Iterator[str]:
    """The command lines of a block, those that a backslash joins as one."""
    for line in content.replace("\\\n", " ").splitlines():
        if line.startswith(PROMPTS):
            yield line[2:]


def our_commands(page: Path) -> list[list[str]]:
    """The arguments of every `andromede …` on the page, in blocks and in the text."""
    spoken = [each for kind in ("console", "ini") for each in blocks(page, kind)]
    lines = [line for content in spoken for line in prompted(content)]
    lines += [line for content in blocks(page, "ini") for line in content.splitlines()]
    lines += CODE.findall(re.sub(r"\n", " ", prose(page)))
    found = []
    for line in lines:
        for match in OURS.findall(line):
            plain = re.split(r"\s{3,}|[;)&|>]", match)[0]
            found.append(shlex.split(plain, comments=True))
    return found
