"""What `up` is told of the place and the world: asked for at a first start, checked before anything
starts, and declared by the start itself, or to the cloud that runs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from rich.console import Console

from andromede.cli.errors import USAGE, CliError
from andromede.config import Config, Paths, Place

if TYPE_CHECKING:
    from andromede.sovereignty.world.document import Document
    from andromede.sovereignty.world.model import Site

console = Console(stderr=True, highlight=False, soft_wrap=True)
UNDECLARED = "undeclared"


@dataclass
class Declared:
    """The options of `up` that declare something, as they were given."""

    site: str | None = None
    country: str | None = None
    operator: str | None = None
    file: Path | None = None
    document: Document | None = None

    def placed(self, state: Path, config: Config) -> Config:
        """The settings with the place where this host stands.

        Errors: CliError for what cannot be declared, or is declared in another way by now.
        """
        if self.file is not None:
            from andromede.cli.sovereignty.world import read

            self.document = read(self.file)
        if Paths(state).config.exists():
            self._require_same(config.place)
        elif self.document is not None:
            place = self._of_document(self.document, config.place)
            config = msgspec.structs.replace(config, place=place)
        else:
            config = msgspec.structs.replace(config, place=self._asked(config.place))
        if self.document is not None and config.place.site not in _names(self.document):
            raise CliError(
                f"--world {self.file}: site {config.place.site}, where this host stands, is not "
                f"among its sites ({', '.join(_names(self.document)) or 'none'})",
                USAGE,
            )
        return config

    def _require_same(self, place: Place) -> None:
        for name in ("site", "country", "operator"):
            wanted, is_ = getattr(self, name), getattr(place, name)
            if wanted is not None and wanted != is_:
                raise CliError(
                    f"--{name}: this cloud was first started with {is_}; change what is declared "
                    f"with: andromede sovereignty site set {place.site}",
                    USAGE,
                )

    def _of_document(self, document: Document, place: Place) -> Place:
        """The place by the document: the site named, the one that lists this host, or the only."""
        for name in ("country", "operator"):
            if getattr(self, name) is not None:
                raise CliError(f"--{name}: --world {self.file} declares it; give one", USAGE)
        sites = [
            each
            for each in document.sites
            if (each.name == self.site if self.site else place.host in each.hosts)
        ]
        if not sites and self.site is None:
            sites = list(document.sites)
        if len(sites) != 1:
            names = ", ".join(_names(document)) or "none"
            raise CliError(
                f"--world {self.file}: which of its sites this host stands at is not clear; name "
                f"one with --site (there are: {names})",
                USAGE,
            )
        return self._at(sites[0], place)

    @staticmethod
    def _at(site: Site, place: Place) -> Place:
        return msgspec.structs.replace(
            place,
            site=site.name,
            region=site.region,
            country=site.country,
            operator=site.operator,
        )

    def _asked(self, place: Place) -> Place:
        """The place by the options, and by questions where somebody can answer."""
        ask = sys.stdin.isatty()
        questions: tuple[tuple[str, str, Callable[[str], str]], ...] = (
            ("site", "Name of the site where this machine stands", _site),
            ("country", "Its country, two letters as in FR", _country),
            ("operator", "The legal entity that runs it", _operator),
        )
        found = {}
        for name, question, check in questions:
            given, default = getattr(self, name), getattr(place, name)
            if given is not None:
                try:
                    found[name] = check(given)
                except ValueError as error:
                    raise CliError(f"--{name}: {error}", USAGE) from error
            elif ask:
                found[name] = _answer(question, default, check)
        return msgspec.structs.replace(place, **found)

    def declare(self, state: Path) -> None:
        """Declare the document to the cloud that runs."""
        if self.document is not None and self.file is not None:
            from andromede.cli.sovereignty import world

            world.load(self.file, state)


def _names(document: Document) -> list[str]:
    return [each.name for each in document.sites]


def _answer(question: str, default: str, check: Callable[[str], str]) -> str:
    """Ask until the answer will do; an empty one is the default."""
    while True:
        console.print(f"{question} [{default}]: ", end="", markup=False)
        answer = sys.stdin.readline().strip()
        try:
            return check(answer) if answer else default
        except ValueError as error:
            console.print(str(error), markup=False)


def _site(text: str) -> str:
    from andromede.sovereignty.world.model import Site

    try:
        return msgspec.convert({"name": text}, Site).name
    except msgspec.ValidationError:
        raise ValueError(
            f"{text!r} is no name of a site; letters, digits, dots and dashes are accepted"
        ) from None


def _country(text: str) -> str:
    from andromede.sovereignty import countries

    if text != UNDECLARED and not countries.known(text):
        raise ValueError(f"{text!r} is no country of ISO 3166-1; two letters as in FR are accepted")
    return text


def _operator(text: str) -> str:
    if not 0 < len(text) <= 255:
        raise ValueError("the name of a legal entity is accepted, of 1 to 255 characters")
    return text
