"""Values as compute's bodies and queries spell them: numbers in strings, booleans in words. Pure.

Source: the compute API accepts integers and booleans as JSON values or as their usual strings.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from andromede import clock
from andromede.http.context import Context
from andromede.http.errors import BadRequest

LARGEST = 0x7FFFFFFF
MOST_LISTED = 1000  # items on one page, whatever the client asks for
STRICT_QUERIES = (2, 75)  # from here on an unknown query parameter is refused
TRUE = frozenset({"1", "t", "true", "on", "y", "yes"})
FALSE = frozenset({"0", "f", "false", "off", "n", "no"})
METADATA_KEY = re.compile(r"[a-zA-Z0-9\-_:. ]{1,255}")


def whole(value: object, name: str, least: int, most: int = LARGEST) -> int:
    """A whole number, or a string of one.

    Errors: BadRequest naming the member and the range it accepts.
    """
    text = str(value)
    good = not isinstance(value, (bool, float)) and re.fullmatch(r"-?[0-9]{1,19}", text)
    if not good or not least <= int(text) <= most:
        raise BadRequest(
            f"Invalid input for field/attribute {name}. Value: {value}. "
            f"A whole number from {least} to {most} is accepted."
        )
    return int(text)


def boolean(value: object, name: str) -> bool:
    """A boolean, or one of its words.

    Errors: BadRequest naming the member.
    """
    word = str(value).strip().lower()
    if word in TRUE:
        return True
    if word in FALSE:
        return False
    raise BadRequest(
        f"Invalid input for field/attribute {name}. Value: {value}. "
        f"A boolean is accepted: true, 1, yes, on, false, 0, no, off."
    )


def printable(value: str, name: str, *, trim: bool = False) -> str:
    """A name of 1 to 255 printable characters that neither begins nor ends with a space.

    Errors: BadRequest naming the member.
    """
    text = value.strip() if trim else value
    bad = any(_hidden(character) for character in text)
    if not 1 <= len(text) <= 255 or bad or text != text.strip():
        raise BadRequest(
            f"Invalid input for field/attribute {name}. Value: {value}. 1 to 255 printable "
            f"characters are accepted, without spaces at either end."
        )
    return text


def description(value: str | None, most: int = 65_535) -> str | None:
    """Free text of at most so many printable characters.

    Errors: BadRequest.
    """
    if value is not None and (len(value) > most or any(_hidden(each) for each in value)):
        raise BadRequest(
            f"Invalid input for field/attribute description. At most {most} printable characters "
            f"are accepted."
        )
    return value


def _hidden(character: str) -> bool:
    category = unicodedata.category(character)
    return category.startswith("C") or category in ("Zl", "Zp")


def pairs(values: Mapping[str, Any], name: str, *, numbers: bool = False) -> dict[str, str]:
    """Keys and values of at most 255 characters; where `numbers` are accepted, as their strings.

    Errors: BadRequest naming the faulty key.
    """
    result: dict[str, str] = {}
    for key, value in values.items():
        number = numbers and isinstance(value, (int, float)) and not isinstance(value, bool)
        text = str(value) if number else value
        if not METADATA_KEY.fullmatch(key) or not isinstance(text, str) or len(text) > 255:
            kinds = "strings or numbers" if numbers else "strings"
            raise BadRequest(
                f"Invalid input for field/attribute {name}. Value: {key}. Keys are 1 to 255 of "
                f"a-z A-Z 0-9 - _ : . and space; values are {kinds} of at most 255 characters."
            )
        result[key] = text
    return result


def moment(raw: str | None, name: str) -> int | None:
    """A moment of a query, in µs; a plus sign there has become a space.

    Errors: BadRequest naming the parameter.
    """
    try:
        return None if raw is None else clock.parse(raw.replace(" ", "+"))
    except (ValueError, OverflowError) as error:
        raise BadRequest(
            f"Invalid input for query parameters {name}. {raw!r} is not a 'date-time': an ISO 8601 "
            f"moment is accepted."
        ) from error


def counted(context: Context, name: str, otherwise: int) -> int:
    """A whole number of the query from 0 on. Errors: BadRequest naming the parameter."""
    given = context.first(name)
    return otherwise if given is None else whole(given, name, 0)


def once(context: Context, *names: str) -> None:
    """Errors: BadRequest for query parameters that are there more than once."""
    given = [name for name, _ in context.query]
    for name in names:
        if given.count(name) > 1:
            raise BadRequest(f"Invalid input for query parameters {name}: one value is accepted.")


def known_query(context: Context, names: Iterable[str]) -> None:
    """Refuse query parameters that the operation does not have, as compute does from 2.75 on.

    Errors: BadRequest naming what is accepted.
    """
    accepted = set(names)
    unknown = [name for name, _ in context.query if name not in accepted]
    if unknown and context.version >= STRICT_QUERIES:
        raise BadRequest(
            f"Additional properties are not allowed ({', '.join(map(repr, unknown))} was "
            f"unexpected). Accepted: {', '.join(sorted(accepted)) or 'none'}."
        )
