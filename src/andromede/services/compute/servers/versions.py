"""What each microversion changed in the bodies of servers.

Source: the compute API's "REST API Version History". A request of an older version may not name
what came later; `personality`, which left with 2.57, is refused in all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from andromede.http.errors import BadRequest
from andromede.http.microversion import Version
from andromede.services.compute.servers.naming import is_label
from andromede.services.compute.versions import ALWAYS, Conversion, Drop

CREATE, UPDATE = "compute:server:create", "compute:server:update"
SHOW, DETAIL, LIST = "compute:server:show", "compute:server:detail", "compute:server:list"
REBUILD = "compute:server:rebuild"
UNSHELVE = "compute:server:unshelve"
FULL = frozenset({SHOW, DETAIL, UPDATE, REBUILD})
Body = dict[str, Any]

# What appeared in full views, by version. `host_status` and the attributes of 2.3 are there for
# operators only.
APPEARED: dict[Version, tuple[str, ...]] = {
    (2, 3): tuple(
        f"OS-EXT-SRV-ATTR:{name}"
        for name in ("hostname", "kernel_id", "launch_index", "ramdisk_id", "reservation_id",
                     "root_device_name", "user_data")
    ),
    (2, 9): ("locked",),
    (2, 16): ("host_status",),
    (2, 19): ("description",),
    (2, 26): ("tags",),
    (2, 63): ("trusted_image_certificates",),
    (2, 71): ("server_groups",),
    (2, 73): ("locked_reason",),
    (2, 96): ("pinned_availability_zone",),
}  # fmt: skip
# What an update answered only from 2.75 on.
UPDATE_275 = (
    "OS-EXT-AZ:availability_zone", "config_drive", "key_name", "OS-SRV-USG:launched_at",
    "OS-SRV-USG:terminated_at", "security_groups", "OS-EXT-STS:task_state",
    "OS-EXT-STS:vm_state", "OS-EXT-STS:power_state", "os-extended-volumes:volumes_attached",
    "host_status", *(f"OS-EXT-SRV-ATTR:{name}" for name in (
        "host", "hypervisor_hostname", "instance_name", "hostname", "kernel_id", "launch_index",
        "ramdisk_id", "reservation_id", "root_device_name", "user_data")),
)  # fmt: skip
REBUILD_275 = tuple(name for name in UPDATE_275 if name not in ("key_name",))
REBUILT_SINCE: dict[Version, tuple[str, ...]] = {
    (2, 19): ("description",),
    (2, 54): ("key_name",),
    (2, 57): ("user_data",),
    (2, 63): ("trusted_image_certificates",),
    (2, 90): ("hostname",),
}
ACCEPTED_SINCE: dict[Version, tuple[str, ...]] = {
    (2, 19): ("description",),
    (2, 52): ("tags",),
    (2, 63): ("trusted_image_certificates",),
    (2, 74): ("host", "hypervisor_hostname"),
    (2, 90): ("hostname",),
}


def _servers(body: Body) -> list[Body]:
    one = body.get("server")
    return [one] if one is not None else body["servers"]


def _asked(body: Any, key: str = "server") -> Body:
    """The server of a request, or nothing when the body is of another shape: the schema says so."""
    server = body.get(key) if isinstance(body, dict) else None
    return server if isinstance(server, dict) else {}


def _refusing(since: Version, names: tuple[str, ...], key: str = "server") -> Callable[[Any], Any]:
    def lift(body: Any) -> Any:
        later = [name for name in names if name in _asked(body, key)]
        if later:
            raise BadRequest(
                f"Additional properties are not allowed ({', '.join(later)}): microversion "
                f"{since[0]}.{since[1]} or later accepts it."
            )
        return body

    return lift


def _lift_description(body: Any) -> Any:
    """Until 2.19 a server's description was its name."""
    server = _asked(body)
    if "name" in server:
        server["description"] = server["name"]
    return body


def _lift_networks(body: Any) -> Any:
    """Until 2.37 networks could be left out; an empty list means the same."""
    server = _asked(body)
    if isinstance(server.get("networks"), str):
        raise BadRequest(
            "Invalid input for field/attribute networks: 'auto' and 'none' are accepted by "
            "microversion 2.37 or later; before, a list is."
        )
    if server:
        server.setdefault("networks", [])
    return body


def _entries(body: Any, key: str) -> list[Body]:
    entries = _asked(body).get(key)
    return [each for each in entries if isinstance(each, dict)] if isinstance(entries, list) else []


def _refusing_in(key: str, name: str, since: str) -> Callable[[Any], Any]:
    def lift(body: Any) -> Any:
        if any(name in entry for entry in _entries(body, key)):
            raise BadRequest(
                f"Additional properties are not allowed ({name} in {key}): microversion {since} "
                f"or later accepts it."
            )
        return body

    return lift


def _renaming_in(key: str, old: str, new: str) -> Callable[[Any], Any]:
    def lift(body: Any) -> Any:
        for entry in _entries(body, key):
            if old in entry:
                entry[new] = entry.pop(old)
        return body

    return lift


def _tags(key: str, left: Version) -> list[Conversion]:
    """Tags of devices came with 2.32, left with `left` and came back with 2.42."""
    create = frozenset({CREATE})
    return [
        Conversion(since=(2, 32), actions=create, lift=_refusing_in(key, "tag", "2.42")),
        Conversion(since=left, actions=create, lift=_renaming_in(key, "tag", "_tag")),
        Conversion(since=(2, 42), actions=create, lift=_refusing_in(key, "tag", "2.42")),
        Conversion(since=(2, 42), actions=create, lift=_renaming_in(key, "_tag", "tag")),
    ]


def _lift_personality(body: Any) -> Any:
    server = _asked(body) or _asked(body, "rebuild")
    if server.pop("personality", None):
        raise BadRequest(
            "personality: files are not injected into guests; user_data and config_drive are "
            "accepted instead."
        )
    return body


def _lift_label(body: Any) -> Any:
    hostname = (_asked(body) or _asked(body, "rebuild")).get("hostname")
    if hostname is not None and not is_label(hostname):
        raise BadRequest(
            f"Invalid input for field/attribute hostname. Value: {hostname}. One label of letters, "
            f"digits and inner hyphens is accepted; microversion 2.94 or later accepts a domain."
        )
    return body


def _lift_unshelve(body: Any) -> Any:
    """Until 2.77 whatever stood under `unshelve` meant nothing."""
    return {"unshelve": None} if isinstance(body, dict) else body


def _lift_unshelve_zone(body: Any) -> Any:
    """Until 2.91 a zone had to be named, and nothing else could be."""
    asked = body.get("unshelve") if isinstance(body, dict) else None
    if asked is None:
        return body
    if not isinstance(asked, dict) or set(asked) != {"availability_zone"}:
        raise BadRequest(
            "Invalid input for field/attribute unshelve: null, or an object with availability_zone "
            "alone, is accepted; microversion 2.91 or later also accepts host."
        )
    if not isinstance(asked["availability_zone"], str):
        raise BadRequest(
            "Invalid input for field/attribute availability_zone: a zone's name is accepted; "
            "microversion 2.91 or later also accepts null."
        )
    return body


def _lift_lock(body: Any) -> Any:
    """Until 2.73 whatever stood under `lock` meant nothing."""
    return {"lock": None} if isinstance(body, dict) else body


def _reference_flavor(body: Body) -> Body:
    for server in _servers(body):
        server["flavor"] = server["_flavor"]
    return body


def _delete_on_termination(body: Body) -> Body:
    for server in _servers(body):
        for volume in server.get("os-extended-volumes:volumes_attached", ()):
            del volume["delete_on_termination"]
    return body


def _hostname_for_operators(body: Body) -> Body:
    """Until 2.90 owners were not shown the host name."""
    for server in _servers(body):
        if "OS-EXT-SRV-ATTR:host" not in server:
            server.pop("OS-EXT-SRV-ATTR:hostname", None)
    return body


def _short_update(body: Body) -> Body:
    return _short(body, UPDATE_275)


def _short_rebuild(body: Body) -> Body:
    return _short(body, REBUILD_275)


def _short(body: Body, names: tuple[str, ...]) -> Body:
    server = Drop(_servers, names)(body)["server"]
    for addresses in server["addresses"].values():
        for address in addresses:
            del address["OS-EXT-IPS:type"], address["OS-EXT-IPS-MAC:mac_addr"]
    return body


CONVERSIONS = [
    *(Conversion(since=since, actions=FULL, lower=Drop(_servers, names))
      for since, names in APPEARED.items()),
    *(Conversion(since=since, actions=frozenset({CREATE, UPDATE}), lift=_refusing(since, names))
      for since, names in ACCEPTED_SINCE.items()),
    *(Conversion(since=since, actions=frozenset({REBUILD}), lift=_refusing(since, names, "rebuild"))
      for since, names in REBUILT_SINCE.items()),
    *(Conversion(since=since, actions=frozenset({REBUILD}), lower=Drop(_servers, (name,)))
      for since, name in (((2, 54), "key_name"), ((2, 57), "user_data"))),
    Conversion(since=(2, 75), actions=frozenset({REBUILD}), lower=_short_rebuild),
    Conversion(since=(2, 77), actions=frozenset({UNSHELVE}), lift=_lift_unshelve),
    Conversion(since=(2, 91), actions=frozenset({UNSHELVE}), lift=_lift_unshelve_zone),
    Conversion(since=(2, 3), actions=FULL, lower=_delete_on_termination),
    Conversion(since=(2, 19), actions=frozenset({CREATE}), lift=_lift_description),
    Conversion(since=(2, 37), actions=frozenset({CREATE}), lift=_lift_networks),
    *_tags("networks", (2, 37)),
    *_tags("block_device_mapping_v2", (2, 33)),
    Conversion(since=(2, 47), actions=FULL, lower=_reference_flavor),
    Conversion(since=(2, 57), actions=frozenset({CREATE, REBUILD}), lift=_lift_personality),
    Conversion(since=(2, 67), actions=frozenset({CREATE}),
               lift=_refusing_in("block_device_mapping_v2", "volume_type", "2.67")),
    Conversion(since=(2, 73), actions=frozenset({"compute:server:lock"}), lift=_lift_lock),
    Conversion(since=(2, 75), actions=frozenset({UPDATE}), lower=_short_update),
    Conversion(since=(2, 90), actions=FULL, lower=_hostname_for_operators),
    Conversion(since=(2, 94), actions=frozenset({CREATE, UPDATE, REBUILD}), lift=_lift_label),
    Conversion(since=ALWAYS, actions=FULL, lower=Drop(_servers, ("_flavor",))),
]  # fmt: skip
