"""Which of an image's bytes a download asks for. Pure.

Source: RFC 9110, section 14, for one range; and the Image service, which also takes `Content-Range`
in a request, as clients of old send it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from andromede.http.errors import ApiError, BadRequest

RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")
CONTENT_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19}|\*)")


class RangeNotSatisfiable(ApiError):
    status = 416


def read(headers: Mapping[str, str], size: int) -> tuple[int, int] | None:
    """The first and last byte that are asked for, of `size`; None for all of them, as a whole.

    Errors: BadRequest for several ranges; RangeNotSatisfiable.
    """
    asked = headers.get("range")
    if asked is not None:
        return _range(asked, size)
    old = headers.get("content-range")
    return None if old is None else _content_range(old, size)


def _range(asked: str, size: int) -> tuple[int, int]:
    if "," in asked:
        raise BadRequest(
            f"Range {asked[:80]!r} names several ranges; one, bytes=FIRST-LAST, is accepted."
        )
    match = RANGE.fullmatch(asked.strip())
    first, last = match.groups() if match else ("", "")
    if first:
        begin, end = int(first), min(int(last) if last else size - 1, size - 1)
    else:
        begin, end = max(0, size - int(last or 0)), size - 1
    if match is None or begin > end or begin >= size:
        raise _refuse("Range", asked, size)
    return begin, end


def _content_range(asked: str, size: int) -> tuple[int, int]:
    match = CONTENT_RANGE.fullmatch(asked.strip())
    if match is None:
        raise _refuse("Content-Range", asked, size)
    begin, end = int(match[1]), int(match[2])
    if not begin <= end < size:
        raise _refuse("Content-Range", asked, size)
    return begin, end


def _refuse(header: str, asked: str, size: int) -> RangeNotSatisfiable:
    return RangeNotSatisfiable(
        f"{header} {asked[:80]!r} is not valid for {size} bytes; one range bytes=FIRST-LAST is.",
        headers={"Content-Range": f"bytes */{size}"},
    )
