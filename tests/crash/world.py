"""A whole cloud on the simulated engine whose worker, api and host can be killed at any point."""

from __future__ import annotations

import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa

from andromede.engine.protocol import EngineError
from andromede.findings import Finding
from andromede.roles.audit import audit
from andromede.services import compute, image, network
from andromede.services.compute import api as compute_api
from andromede.services.image import api as image_api
from andromede.services.network import api as network_api
from andromede.work import Runner
from andromede.work.lifecycle import Task
from tests.harness import Client, TestCloud, caller

PACKAGES = (compute, image, network)
LATEST = {"OpenStack-API-Version": "compute 2.96"}
VERBS = (
    "ensure_network", "remove_network", "ensure_port", "remove_port", "ensure_firewall",
    "ensure_router", "remove_router", "ensure_server", "observe_server", "ask_shutdown",
    "stop_server", "remove_server", "quarantine_disk", "remove_image", "observe", "pause_server",
    "suspend_server", "keep_disk", "restore_disk", "forget_disk", "ensure_cards", "copy_disk",
    "open_copy", "remove_copy", "set_password",
)  # fmt: skip


class Killed(BaseException):
    """The process ends here."""


class World:
    """The cloud, its personae and its disasters; `rng` decides everything."""

    def __init__(self, folder: Path, rng: random.Random) -> None:
        self.rng = rng
        self.cloud = TestCloud(
            folder,
            [each.SERVICE for each in PACKAGES],
            [one for each in PACKAGES for one in each.LIFECYCLES],
        )
        self._hasten()
        self.engine = self.cloud.engine
        self.world = SimpleNamespace(cloud=self.cloud.cloud, engine=self.engine)
        self.cloud.database.transact(compute_api.bootstrap)
        self.external = self.cloud.database.transact(
            lambda conn: network_api.bootstrap(conn, self.cloud.config, "ops")
        )
        self.members = [
            self.cloud.as_(caller(project=each, user=f"user-{each}"), **LATEST)
            for each in ("p1", "p2")
        ]
        self.operator = self.cloud.as_(caller("admin", "ops"), private=True, **LATEST)
        self.reconcilers = self._reconcilers()
        self.settle()

    def _hasten(self) -> None:
        """Processes die here, never the machine's power: the disk need not be waited for."""
        engine = self.cloud.database.engine
        sa.event.listen(
            engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=OFF").close()
        )
        engine.dispose()

    def _reconcilers(self) -> list[Any]:
        made = [getattr(each, "reconcilers", None) for each in PACKAGES]
        found = [one for make in made if make is not None for one in make(self.world)]
        return [each for each in found if each.name != "server events"]

    def reconcile(self) -> None:
        """Every reconciler once; a fault of the engine ends one as it does in the worker."""
        from andromede.services.compute.servers.reconcile import follow_events

        for run in (lambda: follow_events(self.world, 0), *(each.run for each in self.reconcilers)):
            try:
                run()
            except EngineError as error:
                if "simulated failure" not in str(error):
                    raise

    def some_work(self) -> None:
        """The worker gets as far as a few steps."""
        for _ in range(self.rng.randint(1, 6)):
            tasks = self.cloud.runner.lease(1)
            if not tasks:
                return
            try:
                self.cloud.runner.run(tasks[0])
            finally:
                self.cloud.runner._release(tasks[0])

    def kill_worker(self) -> None:
        """The worker dies at some point of a step, and another takes its place."""
        point, left = self.rng.choice(("before", "effect", "after")), self.rng.randint(1, 4)

        def probe(reached: str, _: Task) -> None:
            nonlocal left
            if reached == point:
                left -= 1
                if left <= 0:
                    raise Killed

        runner = self.cloud.new_runner(probe=probe)
        try:
            for task in runner.lease(self.rng.randint(1, 5)):
                runner.run(task)
        except Killed:
            pass
        self.new_worker()

    def new_worker(self) -> Runner:
        """A worker that starts: it takes back leases and checks the whole host."""
        self.cloud.runner = self.cloud.new_runner()
        self.cloud.runner.recover()
        self.reconcilers = self._reconcilers()
        if self.rng.random() < 0.5:
            self.reconcile()
        return self.cloud.runner

    def restart_api(self) -> None:
        """What an api process does at its start."""
        image_api.clean(self.cloud.paths, self.cloud.database)

    def restart_host(self) -> None:
        """A power cut: everything on the host but disks and rows is gone."""
        self.engine.host_restarts()
        self.restart_api()
        self.new_worker()

    def fault(self) -> None:
        """Some verb is going to fail, now and then for good."""
        verb, times = self.rng.choice(VERBS), self.rng.randint(1, 3)
        self.engine.faults.fail(verb, times, permanent=self.rng.random() < 0.15)

    def machine_event(self) -> None:
        """A guest powers itself off, or its process dies."""
        running = list(self.engine.power)
        if running:
            server_id = self.rng.choice(running)
            happen = self.rng.choice((self.engine.guest_powers_off, self.engine.machine_vanishes))
            happen(server_id)

    def settle(self) -> None:
        """Nothing fails any more; all that is due is done, and the host is compared, twice over."""
        self.engine.faults.clear()
        self.cloud.runner.recover()
        for _ in range(2):
            self.cloud.settle()
            self.reconcile()
        self.cloud.settle()

    def audit(self) -> list[Finding]:
        """What doctor would find, with every leaf numbered."""
        self.cloud.number()
        return audit(self.cloud.cloud, self.engine.observe(), self.cloud.lifecycles)

    def left(self) -> dict[str, int]:
        """Rows of tables that an empty cloud has no rows in."""
        with self.cloud.database.read() as connection:
            counts = {
                name: connection.execute(sa.text(f'SELECT COUNT(*) FROM "{name}"')).scalar() or 0
                for name in (
                    "work", "network_removal", "network_ip_allocation", "floating_ip", "router",
                    "port", "image", "port_security_group", "network_tag",
                )
            }  # fmt: skip
            counts["server"] = (
                connection.execute(
                    sa.text("SELECT COUNT(*) FROM server WHERE deleted = 0")
                ).scalar()
                or 0
            )
        return {name: count for name, count in counts.items() if count}

    def client(self) -> Client:
        return self.rng.choice(self.members)

    def close(self) -> None:
        self.cloud.close()
