"""`python -m andromede.roles.apidoc > docs/api.md`: every operation of every service, on a page.

It reads the routing tables alone; a test holds the page to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from andromede.config import Paths
from andromede.http.microversion import Version, text
from andromede.http.operation import Operation, Service
from andromede.roles import assembly, health

HEAD = """# The API

Every operation that this cloud answers, from its routing tables; written by
`python -m andromede.roles.apidoc > docs/api.md`.

*Action* is what authorization, the transparency log and the metrics call an operation. *Who may* is
the rule asked of the token before anything else; whose resources those are is asked after it, and what
belongs to another project does not exist for a caller. The public listener refuses the role admin and
the system scope altogether. *Body* is the single key of the body that tells operations of one path
apart, and *versions* are the microversions that have the operation, where not all have it.
"""
COLUMNS = ("method", "path", "body", "versions", "action", "who may")


def page() -> str:
    """The whole page, in Markdown."""
    where = Paths(Path())
    sections = [
        *(_section(each, f"`{each.type}` in the catalog") for each in assembly.services()),
        *(_section(each, "On both listeners") for each in assembly.uncatalogued_services()),
        _section(health.service(where), "On both listeners"),
        _section(health.metrics_service(), "On the private listener"),
        *(_section(each, "Over a socket, for the edge") for each in assembly.internal_services()),
    ]
    return "\n".join([HEAD, *sections])


def path_of(service: Service, operation: Operation) -> str:
    """An operation's path from the listener's root."""
    return service.mount.rstrip("/") + (operation.path.rstrip("/") or "")


def _section(service: Service, where: str) -> str:
    versions = service.microversions
    spoken = f", microversions {_versions(versions.lowest, versions.latest)}" if versions else ""
    lines = [f"## {service.name}", "", f"{where}, below `{service.mount}`{spoken}.", ""]
    lines += [*_rows(service), ""]
    return "\n".join(lines)


def _rows(service: Service) -> Iterator[str]:
    yield _row(COLUMNS)
    yield _row("---" for _ in COLUMNS)
    for each in sorted(service.operations, key=lambda row: (row.path, row.method, row.key or "")):
        who = "everyone" if each.allow is None else each.allow.name
        yield _row(
            (
                each.method,
                f"`{path_of(service, each)}`",
                f"`{each.key}`" if each.key else "",
                _versions(each.since, each.until),
                f"`{each.action}`",
                who,
            )
        )


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _versions(since: Version | None, until: Version | None) -> str:
    if since is None and until is None:
        return ""
    first = "" if since is None else text(since)
    last = "" if until is None else text(until)
    return f"{first} to {last}".strip() if last else f"from {first}"


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201
