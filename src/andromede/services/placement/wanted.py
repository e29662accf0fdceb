"""What queries ask of providers: resources, traits and aggregates."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from andromede.http.context import Context
from andromede.http.errors import BadRequest
from andromede.services.placement.hosts import Provider
from andromede.services.placement.versions import since
from andromede.services.placement.vocabulary import CLASSES, TRAITS

Matches = Callable[[Provider], bool]


def read(context: Context, query: Mapping[str, str]) -> Matches:
    """Whether a provider is what `resources`, `required` and `member_of` ask for.

    Errors: BadRequest.
    """
    amounts = resources(query["resources"]) if "resources" in query else {}
    tests: list[Matches] = [lambda host: host.room(amounts)]
    for name, value in context.query:
        if name == "required":
            tests.append(_traits(context, value))
        if name == "member_of":
            tests.append(_aggregates(context, value))
    return lambda host: all(test(host) for test in tests)


def resources(text: str) -> dict[str, int]:
    """`VCPU:2,MEMORY_MB:512` by class.

    Errors: BadRequest.
    """
    found: dict[str, int] = {}
    for part in text.split(","):
        name, _, amount = part.partition(":")
        if name not in CLASSES or not amount.isascii() or not amount.isdigit() or int(amount) < 1:
            raise BadRequest(
                f"Badly formed resources parameter, at {part!r}: CLASS:AMOUNT,… is accepted, with "
                f"amounts from 1 and the classes {', '.join(CLASSES)}."
            )
        found[name] = int(amount)
    return found


def _traits(context: Context, text: str) -> Matches:
    """`A,!B`, or `in:A,C` (1.39). All hosts have the same traits."""
    any_of = text.startswith("in:")
    if any_of and not since(context, 39):
        raise BadRequest("Invalid query string parameters: in: is accepted from version 1.39 on.")
    names = text.removeprefix("in:").split(",")
    forbidden = [name[1:] for name in names if name.startswith("!")]
    required = [name for name in names if not name.startswith("!")]
    unknown = [name for name in (*required, *forbidden) if name not in TRAITS]
    if unknown or (forbidden and (any_of or not since(context, 22))):
        raise BadRequest(
            f"No such trait(s): {', '.join(unknown or forbidden)}. The traits of this cloud are: "
            f"{', '.join(TRAITS)}; ! before a name is accepted from version 1.22 on."
        )
    answer = not forbidden
    return lambda host: answer


def _aggregates(context: Context, text: str) -> Matches:
    """`UUID`, `in:UUID,UUID`, or either after `!` (1.32)."""
    without = text.startswith("!")
    if without and not since(context, 32):
        raise BadRequest("Invalid query string parameters: !UUID is accepted from version 1.32 on.")
    names = text.removeprefix("!").removeprefix("in:").split(",")
    return lambda host: (host.aggregate in names) is not without
