"""The audit of usage by host, for operators: upstream, a task of each host tells what ran on it in a
period; here usage is metered while it happens, so no host ever runs that task.

Source: the compute API's reference, "Server usage audit log".
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from andromede import clock
from andromede.http.access import ADMIN
from andromede.http.context import Context
from andromede.http.errors import BadRequest
from andromede.http.operation import Operation
from andromede.services.compute.hosts import store


def _period(moment: datetime) -> tuple[datetime, datetime]:
    """The last whole month before a moment."""
    end = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (end - timedelta(days=1)).replace(day=1), end


def _view(context: Context, before: datetime) -> dict[str, Any]:
    begin, end = _period(before)
    names = [each.name for each in store.every(context.conn)]
    return {
        "total_instances": 0,
        "total_errors": 0,
        "num_hosts": len(names),
        "num_hosts_done": 0,
        "num_hosts_running": 0,
        "num_hosts_not_run": len(names),
        "hosts_not_run": names,
        "overall_status": f"0 of {len(names)} hosts done. 0 errors.",
        "period_beginning": str(begin),
        "period_ending": str(end),
        "log": {},
    }


def _now() -> datetime:
    return datetime.fromtimestamp(clock.now() / clock.SECOND, UTC).replace(tzinfo=None)


def index(context: Context) -> dict[str, Any]:
    return {"instance_usage_audit_logs": _view(context, _now())}


def show(context: Context) -> dict[str, Any]:
    """Errors: BadRequest for what is no moment."""
    text = context.params["before"]
    for form in ("%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S"):
        try:
            return {"instance_usage_audit_log": _view(context, datetime.strptime(text, form))}
        except (ValueError, OverflowError):
            continue
    raise BadRequest(f"Invalid timestamp for date {text}: 2026-11-22 10:00:00 is accepted.")


OPERATIONS = [
    Operation(
        method="GET", path=f"/v2.1/os-instance_usage_audit_log{path}", handler=handler,
        action=f"compute:usage-audit:{verb}", allow=ADMIN,
    )
    for path, handler, verb in (("", index, "list"), ("/{before}", show, "show"))
]  # fmt: skip
