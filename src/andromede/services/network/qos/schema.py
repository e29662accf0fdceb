"""The attributes of QoS policies and of each kind of their rules."""

from __future__ import annotations

from andromede.services.network.common import checks
from andromede.services.network.common.attributes import REQUIRED, STANDARD, Attribute, Schema

BANDWIDTH, DSCP = "bandwidth_limit", "dscp_marking"
DIRECTIONS = ("egress", "ingress")
MARKS = (0, *range(8, 41, 2), 46, 48, 56)  # source: the network API's reference, `dscp_mark`
MOST = 2**31 - 1
_speed = checks.integer(0, MOST)


def mark(value: object) -> int:
    number: int = checks.integer(0, 63)(value)
    return int(checks.one_of(*MARKS)(number))


POLICY = Schema(
    "policy",
    "policies",
    [
        *STANDARD,
        Attribute(name="is_default", reader=checks.boolean, default=False),
        Attribute(name="shared", reader=checks.boolean, default=False, admin=True, stored=False),
        Attribute(name="rules", stored=False),
    ],
)
_ID = tuple(each for each in STANDARD if each.name == "id")
_OWNER = tuple(
    Attribute(name=each.name, reader=each.reader, put=False, stored=False)
    for each in STANDARD
    if each.name in ("project_id", "tenant_id")
)
RULES = {
    BANDWIDTH: Schema(
        "bandwidth_limit_rule",
        "bandwidth_limit_rules",
        [
            *_ID,
            *_OWNER,
            Attribute(name="max_kbps", reader=_speed, default=REQUIRED),
            Attribute(name="max_burst_kbps", reader=_speed, default=0),
            Attribute(name="direction", reader=checks.one_of(*DIRECTIONS), default="egress"),
        ],
    ),
    DSCP: Schema(
        "dscp_marking_rule",
        "dscp_marking_rules",
        [*_ID, *_OWNER, Attribute(name="dscp_mark", reader=mark, default=REQUIRED)],
    ),
}
TYPES = {
    BANDWIDTH: [
        {"parameter_name": "max_kbps", "parameter_type": "range",
         "parameter_values": {"start": 0, "end": MOST}},
        {"parameter_name": "max_burst_kbps", "parameter_type": "range",
         "parameter_values": {"start": 0, "end": MOST}},
        {"parameter_name": "direction", "parameter_type": "choices",
         "parameter_values": list(DIRECTIONS)},
    ],
    DSCP: [
        {"parameter_name": "dscp_mark", "parameter_type": "choices",
         "parameter_values": list(MARKS)},
    ],
}  # fmt: skip
