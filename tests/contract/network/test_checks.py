"""Readers of attribute values, one by one."""

from __future__ import annotations

from typing import Any

import pytest

from andromede.services.network.common import checks
from andromede.services.network.common.checks import Reader
from andromede.services.network.groups import schema as groups
from andromede.services.network.ports import schema as ports

GOOD: list[tuple[Reader, Any, Any]] = [
    (checks.boolean, 1, True),
    (checks.boolean, "No", False),
    (checks.integer(0, 9), "7", 7),
    (checks.optional(checks.ip), None, None),
    (checks.ip, "FD00::0001", "fd00::1"),
    (checks.cidr, "10.1.2.3/8", "10.0.0.0/8"),
    (checks.mac, "FA-16-3E-00-00-01", "fa:16:3e:00:00:01"),
    (checks.host_name, "", ""),
    (checks.host_name, "Web.Example.", "web.example."),
    (checks.domain_name, "", ""),
    (checks.listing(checks.ip), None, []),
    (groups.protocol, "ANY", None),
    (groups.protocol, 6, "6"),
    (groups.prefix, "", None),
    (ports.profile, None, {}),
    (ports.dhcp_options, None, []),
]  # fmt: skip
BAD: list[tuple[Reader, Any, str]] = [
    (checks.text(3), 4, "not a valid string"),
    (checks.boolean, None, "boolean"),
    (checks.boolean, 2, "boolean"),
    (checks.identifier, 4, "UUID"),
    (checks.identifier, "x", "UUID"),
    (checks.integer(0, 9), True, "integer"),
    (checks.integer(0, 9), 10, "range 0 through 9"),
    (checks.ip, 4, "IP address"),
    (checks.cidr, None, "IP subnet"),
    (checks.mac, 4, "MAC"),
    (checks.mac, "00:00:00:00:00:00", "unicast"),
    (checks.host_name, "-a", "DNS name"),
    (checks.ordered_pool, {"start": "10.0.0.1", "end": "::1"}, "ordered"),
    (groups.protocol, {}, "not supported"),
    (ports.profile, [], "dictionary"),
]


@pytest.mark.parametrize(("reader", "value", "wanted"), GOOD)
def test_accepted(reader: Reader, value: Any, wanted: Any) -> None:
    assert reader(value) == wanted


@pytest.mark.parametrize(("reader", "value", "says"), BAD)
def test_refused(reader: Reader, value: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        reader(value)
