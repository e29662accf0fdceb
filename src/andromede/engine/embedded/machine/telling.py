"""What a machine's guest is told through the agent in it: a password for one of its users.

QEMU listens for the agent's port in the server's folder, for root alone. Nothing is ever read of a
guest this way, and no command but these is sent.
"""

from __future__ import annotations

import base64
from contextlib import closing

from andromede.engine.embedded.machine import launch, record
from andromede.engine.embedded.machine.agent import Agent, Refused, Silent
from andromede.engine.embedded.machine.holding import Holding
from andromede.engine.embedded.machine.qmp import MonitorError, reach
from andromede.engine.protocol import EngineError, NotYet

DOING = "setting a password in"
LINE = "agent"  # what QEMU calls its end of the port
PATIENCE = 3.0  # seconds until an agent that runs has answered
SECONDS = 30.0  # until it has set a password: it makes a slow hash, perhaps emulated


class Telling(Holding):
    """The verb on passwords. Errors: EngineError."""

    def set_password(self, server_id: str, user: str, password: str) -> None:
        """Without the server's lock, so that a slow guest holds up nothing that ends it."""
        held = record.load(self._folder(server_id))
        if held is None or not held.wanted:
            raise self._not_running(DOING, server_id)
        doing = f"{DOING} server {server_id}"
        self._require_agent(doing, server_id)
        try:
            connection = reach(self._folder(server_id), launch.AGENT, PATIENCE)
        except OSError as error:
            raise NotYet(f"{doing}: {error}") from error
        encoded = base64.b64encode(password.encode()).decode()
        with closing(connection):
            try:
                agent = Agent(connection, PATIENCE)
                agent.execute(
                    "guest-set-user-password", SECONDS,
                    username=user, password=encoded, crypted=False,
                )  # fmt: skip
            except Silent as error:
                raise NotYet(f"{doing}: no agent answers in its guest: {error}") from error
            except Refused as error:
                said = str(error)
                if password in said or encoded in said:
                    said = "the guest refused, in words that have the password"
                raise EngineError(f"{doing}, for user {user!r}: {said}", permanent=True) from None

    def _require_agent(self, doing: str, server_id: str) -> None:
        """Ask QEMU whether the guest holds its end of the port, so that no thread waits for one that
        does not. Errors: NotYet; EngineError, permanent when there is no port."""
        try:
            with self._monitor(server_id, PATIENCE) as monitor:
                lines = {each["label"]: each for each in monitor.execute("query-chardev")}
        except (MonitorError, KeyError, TypeError) as error:
            raise NotYet(f"{doing}: {error}") from error
        if LINE not in lines:
            raise EngineError(f"{doing}: it has no port for an agent", permanent=True)
        if not lines[LINE].get("frontend-open"):
            raise NotYet(f"{doing}: no agent answers in its guest, which has not opened its port")
