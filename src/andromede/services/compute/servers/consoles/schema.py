"""The request bodies that ask for a console.

Source: the compute API's reference, "Create Console" and the actions `os-get…Console`.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Protocol = Literal["vnc", "spice", "serial", "rdp", "mks"]
Type = Literal["novnc", "xvpvnc", "spice-html5", "serial", "rdp-html5", "webmks"]


class RemoteConsole(Struct, forbid_unknown_fields=True):
    protocol: Protocol
    type: Type


class RemoteConsoleBody(Struct, forbid_unknown_fields=True):
    remote_console: RemoteConsole


class Vnc(Struct, forbid_unknown_fields=True):
    type: Literal["novnc", "xvpvnc"]


class VncBody(Struct, rename={"wanted": "os-getVNCConsole"}, forbid_unknown_fields=True):
    wanted: Vnc


class Spice(Struct, forbid_unknown_fields=True):
    type: Literal["spice-html5"]


class SpiceBody(Struct, rename={"wanted": "os-getSPICEConsole"}, forbid_unknown_fields=True):
    wanted: Spice


class Serial(Struct, forbid_unknown_fields=True):
    type: Literal["serial"]


class SerialBody(Struct, rename={"wanted": "os-getSerialConsole"}, forbid_unknown_fields=True):
    wanted: Serial
