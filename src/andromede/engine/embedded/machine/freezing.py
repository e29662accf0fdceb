"""Pausing a machine, and putting its memory on disk so that it goes on later where it was."""

from __future__ import annotations

from contextlib import closing

from andromede.engine.embedded.machine import memory, record
from andromede.engine.embedded.machine.holding import STATE, Holding
from andromede.engine.protocol import Power


class Freezing(Holding):
    """The verbs that halt a machine. Errors: EngineError, permanent when it does not run."""

    def pause_server(self, server_id: str) -> None:
        with self._running("pausing", server_id) as (folder, held, _):
            if not held.paused:
                held.paused = True
                record.save(folder, held)
            with self._asking("pausing", server_id) as monitor:
                monitor.execute("stop")

    def suspend_server(self, server_id: str) -> None:
        doing = "suspending"
        with self._hold(doing, server_id) as folder:
            held = record.load(folder)
            if held is None:
                raise self._not_running(doing, server_id)
            found = self._find(server_id, held)
            if not (folder / STATE).exists():
                if found is None or not held.wanted:
                    raise self._not_running(doing, server_id)
                with closing(found):
                    if self._status(server_id, found)[0] is Power.OFF:
                        raise self._not_running(doing, server_id)
                    with self._asking(doing, server_id) as monitor:
                        memory.write(monitor, folder)
                found = self._find(server_id, held)
            self._settle(server_id, held, found, None)

    def interrupt_server(self, server_id: str) -> None:
        doing = "interrupting"
        with self._running(doing, server_id), self._asking(doing, server_id) as monitor:
            monitor.execute("inject-nmi")
