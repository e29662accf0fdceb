"""What a caller can do with a server, told without its asking."""

from __future__ import annotations

from andromede.db import Connection
from andromede.http.access import Caller
from andromede.services.compute.servers import guards, store
from andromede.sovereignty.consent.reach import Reach


def reach(connection: Connection, caller: Caller, server_id: str) -> Reach | None:
    """None when there is no such server."""
    server = store.get(connection, server_id, with_user_data=False)
    if server is None:
        return None
    may = guards.reached(caller, server)
    return Reach(
        kind="server", id=server.id, project_id=server.project_id, service="compute",
        path="/v2.1/servers", see=may, change=may,
    )  # fmt: skip
