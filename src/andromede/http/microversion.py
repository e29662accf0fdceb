"""Microversions: how a client asks for one and what is answered.

Source: the API SIG's microversion specification (`OpenStack-API-Version: <type> <version>`), and
compute's older `X-OpenStack-Nova-API-Version`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from andromede.http.errors import BadRequest, NotAcceptable

Version = tuple[int, int]
PATTERN = re.compile(r"([1-9]\d*)\.([1-9]\d*|0)")


def text(version: Version) -> str:
    return f"{version[0]}.{version[1]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Microversions:
    """The range one service serves, and the headers that carry the choice."""

    service: str
    lowest: Version
    latest: Version
    legacy_header: str | None = None

    def negotiate(self, headers: Mapping[str, str]) -> Version:
        """The version a request asks for; the lowest when it asks for none.

        Errors: BadRequest when it is no version; NotAcceptable when it is out of the range.
        """
        wanted = self._wanted(headers)
        if wanted is None:
            return self.lowest
        if wanted == "latest":
            return self.latest
        match = PATTERN.fullmatch(wanted)
        if match is None:
            raise BadRequest(
                f"API Version String {wanted} is of invalid format. Must be of format "
                f"MajorNum.MinorNum."
            )
        version = (int(match[1]), int(match[2]))
        if not self.lowest <= version <= self.latest:
            raise NotAcceptable(
                f"Version {wanted} is not supported by the API. Minimum is {text(self.lowest)} "
                f"and maximum is {text(self.latest)}."
            )
        return version

    def _wanted(self, headers: Mapping[str, str]) -> str | None:
        for entry in headers.get("openstack-api-version", "").split(","):
            words = entry.split()
            if len(words) == 2 and words[0].lower() == self.service:
                return words[1].lower()
        if self.legacy_header:
            value = headers.get(self.legacy_header.lower())
            return value.strip().lower() if value else None
        return None

    def answer(self, version: Version) -> Mapping[str, str]:
        """The headers that tell the client which version answered."""
        return _answer(self.service, self.legacy_header, version)


@functools.cache
def _answer(service: str, legacy_header: str | None, version: Version) -> Mapping[str, str]:
    headers = {"OpenStack-API-Version": f"{service} {text(version)}"}
    vary = ["OpenStack-API-Version"]
    if legacy_header:
        headers[legacy_header] = text(version)
        vary.append(legacy_header)
    headers["Vary"] = ", ".join(vary)
    return MappingProxyType(headers)
