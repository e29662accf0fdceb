"""The worker role: the only process with a hand on the host. It takes ids from the database, makes
effects through the engine, and listens to nothing but the socket that wakes it."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import structlog

from andromede.cloud import Cloud
from andromede.config import Config, Paths, role_uid
from andromede.keys.server import log_name
from andromede.metrics import LEAVES
from andromede.roles import assembly, certificate, health, host
from andromede.roles.first_start import keep_operator
from andromede.sovereignty.log.sequencer import sequence
from andromede.work import Reconciler, Runner
from andromede.work.reconcile import serve as serve_reconcilers
from andromede.work.store import set_wake

log = structlog.get_logger("worker")


def serve(config: Config, paths: Paths) -> None:
    """Work until SIGTERM; what is under way then is finished or taken up again later."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with _alone(paths):
        cloud = assembly.cloud(config, paths)
        assembly.connect_roles(cloud)
        engine = host.engine(config, paths)
        world = SimpleNamespace(cloud=cloud, engine=engine)
        runner = Runner(cloud.database, assembly.lifecycles(), world, worker=config.place.host)
        set_wake(runner.wake)
        recovered = runner.recover()
        log.info("started", recovered=recovered, engine=config.engine)
        every = [
            *host.reconcilers(world),
            Reconciler(name="beat", every=1, run=lambda: health.beat(paths.run / "worker.beat")),
            Reconciler(name="sequencer", every=0.5, run=_sequencer(cloud)),
            Reconciler(name="certificate", every=3600, run=lambda: certificate.keep(config, paths)),
            Reconciler(name="operator", every=3600, run=lambda: keep_operator(cloud)),
        ]
        serve_reconcilers(every, stop)
        threading.Thread(target=_listen, args=(config, paths, runner, stop), daemon=True).start()
        runner.serve(stop)
        log.info("stopped")


@contextmanager
def _alone(paths: Paths) -> Iterator[None]:
    """Hold the worker's lock: leases are taken back only when no other worker lives."""
    descriptor = os.open(paths.run / "worker.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(descriptor)


def _listen(config: Config, paths: Paths, runner: Runner, stop: threading.Event) -> None:
    path = paths.run / "wake.sock"
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wake:
        wake.bind(str(path))
        path.chmod(0o600)
        if os.geteuid() == 0:
            uid = role_uid(config, "api")
            os.chown(path, uid, uid)
        while not stop.is_set():
            ready, _, _ = select.select([wake], [], [], 0.5)
            if ready:
                wake.recv(16)
                runner.wake()


def _sequencer(cloud: Cloud) -> Callable[[], None]:
    keys = cloud.keys
    assert keys is not None
    name = log_name(cloud.config)

    def run() -> None:
        while count := sequence(cloud.database, name, keys.sign_checkpoint, name):
            LEAVES.inc(count)

    return run
