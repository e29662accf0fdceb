"""The query string of server lists, read at the edge: what each microversion and caller may ask.

Source: the compute API's reference, "List servers". A caller who is no admin has the filters of
others ignored, as upstream does; from 2.75 a parameter that does not exist is refused.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from andromede.http.context import Context
from andromede.http.errors import BadRequest, Forbidden
from andromede.http.microversion import Version
from andromede.services.compute import values
from andromede.services.compute.servers.states import states_of

MOST = 1000
EVERYONE = {"reservation_id", "name", "status", "image", "flavor", "ip", "changes-since",
            "all_tenants"}  # fmt: skip
LATER: dict[str, Version] = {
    "ip6": (2, 5), "tags": (2, 26), "tags-any": (2, 26), "not-tags": (2, 26),
    "not-tags-any": (2, 26), "changes-before": (2, 66), "locked": (2, 73),
}  # fmt: skip
SINCE_283 = {"availability_zone", "config_drive", "key_name", "created_at", "launched_at",
             "terminated_at", "power_state", "task_state", "vm_state", "progress",
             "user_id"}  # fmt: skip
ALIASES = {"image_ref": "image", "tenant_id": "project_id", "display_name": "name",
           "display_description": "description"}  # fmt: skip
ADMINS = {"user_id", "project_id", "launch_index", "kernel_id", "ramdisk_id", "hostname",
          "key_name", "power_state", "vm_state", "task_state", "host", "node", "launched_at",
          "terminated_at", "availability_zone", "description", "locked_by", "uuid",
          "root_device_name", "config_drive", "access_ip_v4", "access_ip_v6",
          "auto_disk_config", "progress", "soft_deleted", "deleted", "created_at"}  # fmt: skip
JOINED = {"block_device_mapping", "services", "metadata", "system_metadata", "info_cache",
          "security_groups", "pci_devices"}  # fmt: skip
PAGING = {"limit", "marker", "sort_key", "sort_dir", "page_size", "offset"}
SORT_KEYS = {"access_ip_v4", "access_ip_v6", "auto_disk_config", "availability_zone",
             "config_drive", "created_at", "display_description", "display_name", "host",
             "hostname", "image_ref", "instance_type_id", "kernel_id", "key_name",
             "launch_index", "launched_at", "locked_by", "node", "power_state", "progress",
             "project_id", "ramdisk_id", "root_device_name", "task_state", "terminated_at",
             "updated_at", "user_id", "uuid", "vm_state"}  # fmt: skip
IGNORED_SORT_KEYS = {"architecture", "cell_name", "cleaned", "default_ephemeral_device",
                     "default_swap_device", "deleted", "deleted_at", "disable_terminate",
                     "ephemeral_gb", "ephemeral_key_uuid", "id", "key_data", "launched_on",
                     "locked", "memory_mb", "os_type", "reservation_id", "root_gb",
                     "shutdown_terminate", "user_data", "vcpus", "vm_mode"}  # fmt: skip
TAGS = ("tags", "tags-any", "not-tags", "not-tags-any")
TRUE = {"1", "t", "true", "on", "y", "yes"}
FALSE = {"0", "f", "false", "off", "n", "no"}


class Search(Struct, kw_only=True):
    """What is wanted. `project_id` None: every project's. `filters` maps names to their values;
    `vm_states` and `task_states` None: any. `nothing`: the answer is known to be empty."""

    project_id: str | None
    filters: dict[str, str]
    vm_states: set[str] | None = None
    task_states: set[str] | None = None
    changes_since: int | None = None
    changes_before: int | None = None
    deleted: bool | None = False
    sort: list[tuple[str, bool]]  # (key, descending)
    limit: int
    marker: str | None
    nothing: bool = False


def read(context: Context) -> Search:
    """The search a request asks for.

    Errors: BadRequest naming the parameter; Forbidden for what only admins may ask.
    """
    _refuse_unknown(context)
    given = {ALIASES.get(key, key): value for key, value in reversed(context.query)}
    for name in given:
        if name in JOINED or name.startswith("_"):
            raise BadRequest(f"Invalid filter field: {name}.")
    allowed = _allowed(context)
    filters = {name: value for name, value in given.items() if name in allowed}
    empty = [name for name in TAGS if filters.get(name) == ""]
    if empty:
        raise BadRequest(f"Invalid input for query parameters {empty[0]}: tags are accepted.")
    search = Search(
        project_id=_project(context, filters),
        filters=filters,
        sort=_sort(context),
        limit=_limit(given),
        marker=given.get("marker"),
    )
    _read_states(context, search)
    _read_moments(search)
    _read_deleted(search)
    return search


def _allowed(context: Context) -> set[str]:
    names = EVERYONE | {name for name, since in LATER.items() if context.version >= since}
    if context.version >= (2, 83):
        names |= SINCE_283
    return names | ADMINS | {"ip6"} if context.caller.admin else names


def _refuse_unknown(context: Context) -> None:
    if context.version < (2, 75):
        return
    later = {name for name, since in LATER.items() if context.version >= since}
    known = EVERYONE | ADMINS | JOINED | PAGING | later | set(ALIASES)
    known -= {"page_size", "offset"}
    unknown = sorted({key for key, _ in context.query} - known)
    if unknown:
        raise BadRequest(
            f"Invalid input for query parameters {', '.join(unknown)}. "
            f"Additional properties are not allowed."
        )


def flag(name: str, text: str) -> bool:
    """A boolean of a query string.

    Errors: BadRequest.
    """
    if text.lower() in TRUE:
        return True
    if text.lower() in FALSE:
        return False
    raise BadRequest(f"Invalid value {text!r} for {name}: true or false is accepted.")


def _project(context: Context, filters: dict[str, str]) -> str | None:
    everywhere = "all_tenants" in filters and (
        not filters["all_tenants"] or flag("all_tenants", filters["all_tenants"])
    )
    filters.pop("all_tenants", None)
    wanted = filters.pop("project_id", None)
    if not everywhere:
        return context.project_id
    if not context.caller.admin:
        raise Forbidden(
            "Policy doesn't allow os_compute_api:servers:index:get_all_tenants to be performed."
        )
    return wanted


def _read_states(context: Context, search: Search) -> None:
    statuses = [value for key, value in context.query if key == "status"]
    search.filters.pop("status", None)
    if not statuses:
        return
    states = states_of(statuses)
    if states is None:
        if context.version >= (2, 38):
            raise BadRequest("Invalid status value")
        search.nothing = True
        return
    search.vm_states, tasks = states
    if not search.vm_states:
        search.nothing = True
    if "default" not in tasks:
        search.task_states = tasks
    if search.vm_states == {"deleted"} and not context.caller.admin:
        raise Forbidden("Only administrators may list deleted instances")


def _read_moments(search: Search) -> None:
    for name in ("changes-since", "changes-before"):
        moment = values.moment(search.filters.pop(name, None), name)
        setattr(search, name.replace("-", "_"), moment)
    if (
        search.changes_since is not None
        and search.changes_before is not None
        and search.changes_before < search.changes_since
    ):
        raise BadRequest("The value of changes-since must be less than or equal to changes-before.")


def _read_deleted(search: Search) -> None:
    raw = search.filters.pop("deleted", None)
    search.filters.pop("soft_deleted", None)
    if raw is not None:
        search.deleted = raw.lower() in TRUE
    elif search.changes_since is not None or search.changes_before is not None:
        search.deleted = None
    if search.vm_states == {"deleted"}:
        search.deleted = True


def _sort(context: Context) -> list[tuple[str, bool]]:
    keys = [value.strip() for key, value in context.query if key == "sort_key"]
    directions = [value.strip() for key, value in context.query if key == "sort_dir"]
    known = SORT_KEYS | ({"locked"} if context.version >= (2, 73) else set())
    ignored = set() if context.version >= (2, 75) else IGNORED_SORT_KEYS - known
    for key in keys:
        if key not in known | ignored:
            raise BadRequest(f"Invalid input for query parameters sort_key: {key!r} is not known.")
        if key in {"host", "node"} and not context.caller.admin:
            raise Forbidden(f"Only administrators can sort servers by {key}")
    if bad := [each for each in directions if each not in {"asc", "desc"}]:
        raise BadRequest(f"Unknown sort direction {bad[0]!r}, must be one of: asc, desc")
    if len(directions) > max(len(keys), 1):
        raise BadRequest("Sort direction size exceeds sort key size")
    default = directions[0] if directions else "desc"
    keys = keys or ["created_at"]
    directions += [default] * (len(keys) - len(directions))
    pairs = zip(keys, directions, strict=True)
    chosen = [(key, way == "desc") for key, way in pairs if key not in ignored]
    return chosen or [("created_at", default == "desc")]


def _limit(given: dict[str, Any]) -> int:
    raw = given.get("limit", str(MOST))
    if not (raw.isascii() and raw.isdigit() and len(raw) < 10):
        raise BadRequest(
            f"Invalid input for query parameters limit. {raw!r} is not a whole number from 0."
        )
    return min(int(raw), MOST)
