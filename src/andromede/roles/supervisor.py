"""The supervisor: prepares the state folder, binds the listeners, forks every role and keeps them
alive. Guests are not its children: they outlive it."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from andromede import config as configuration
from andromede.config import Config, Paths
from andromede.roles import folders

log = structlog.get_logger("supervisor")

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0
STEADY = 30.0  # seconds a role must live for its restarts to be forgiven
STOP_WITHIN = 15.0
LOG_BYTES = 50 * 1024 * 1024

Main = Callable[[], None]


class Child:
    """One role's process and the history of its restarts."""

    def __init__(self, name: str, main: Main) -> None:
        self.name = name
        self.main = main
        self.pid = 0
        self.started = 0.0
        self.pause = FIRST_PAUSE
        self.due = 0.0

    @property
    def role(self) -> str:
        return self.name.partition("-")[0]


class Supervisor:
    """Runs the roles of one cloud until it is told to stop."""

    def __init__(self, config: Config, paths: Paths, mains: dict[str, Main]) -> None:
        self.config = config
        self.paths = paths
        self.children = [Child(name, main) for name, main in mains.items()]
        self.stopping = False

    def run(self) -> None:
        """Fork all roles; restart what dies; on SIGTERM end them in the reverse order."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        while not self.stopping:
            self._start_due()
            signal.sigtimedwait({signal.SIGCHLD}, 0.5)
            self._reap()
            self._trim_logs()
        self._end_all()

    def _stop(self, *_: object) -> None:
        self.stopping = True

    def _start_due(self) -> None:
        changed = False
        for child in self.children:
            if child.pid == 0 and time.monotonic() >= child.due:
                self._fork(child)
                changed = True
        if changed:
            self._note()

    def _fork(self, child: Child) -> None:
        output = os.open(
            self.paths.logs / f"{child.role}.log",
            os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC,
            0o600,
        )
        pid = os.fork()
        if pid == 0:
            self._be(child, output)
        os.close(output)
        child.pid, child.started = pid, time.monotonic()
        log.info("started", child=child.name, pid=pid)

    def _be(self, child: Child, output: int) -> None:
        """The forked side: become the role, and never return."""
        from andromede import log_setup
        from andromede.roles import privilege

        status = 1
        try:
            os.dup2(output, 1)
            os.dup2(output, 2)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            log_setup.configure(child.role)
            parent = os.getppid()
            privilege.become(self.config, child.role)
            if os.getppid() != parent:
                os._exit(1)
            child.main()
            status = 0
        except BaseException:
            structlog.get_logger(child.role).exception("role failed")
        finally:
            sys.stderr.flush()
            os._exit(status)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for child in self.children:
                if child.pid == pid:
                    self._ended(child, status)

    def _ended(self, child: Child, status: int) -> None:
        lived = time.monotonic() - child.started
        child.pause = FIRST_PAUSE if lived > STEADY else min(child.pause * 2, LONGEST_PAUSE)
        child.pid, child.due = 0, time.monotonic() + child.pause
        if not self.stopping:
            code = os.waitstatus_to_exitcode(status)
            log.warning("ended", child=child.name, code=code, again_in=child.pause)

    def _end_all(self) -> None:
        """Ask every role to end, in the reverse order of start, then insist. The first, keys, is asked
        when the others are gone: they sign and seal until they end."""
        until = time.monotonic() + STOP_WITHIN
        for group in (self.children[1:], self.children[:1]):
            for child in reversed(group):
                if child.pid:
                    os.kill(child.pid, signal.SIGTERM)
            while any(child.pid for child in group) and time.monotonic() < until:
                signal.sigtimedwait({signal.SIGCHLD}, 0.2)
                self._reap()
        for child in self.children:
            if child.pid:
                os.kill(child.pid, signal.SIGKILL)
        (self.paths.run / "supervisor.json").unlink(missing_ok=True)
        log.info("stopped")

    def _note(self) -> None:
        """Write which process is which, for `status` and `doctor`."""
        facts = {"pid": os.getpid(), "roles": {each.name: each.pid for each in self.children}}
        draft = self.paths.run / "supervisor.json.new"
        draft.write_text(json.dumps(facts))
        draft.replace(self.paths.run / "supervisor.json")

    def _trim_logs(self) -> None:
        """Keep one older part of a log that grew large; writers append, so it can be cut."""
        for path in self.paths.logs.glob("*.log"):
            if path.stat().st_size > LOG_BYTES:
                shutil.copyfile(path, path.with_suffix(".log.1"))
                os.truncate(path, 0)


def hold_lock(paths: Paths) -> int | None:
    """The lock that one supervisor of a state folder holds; None when another does."""
    paths.run.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(
        paths.run / "supervisor.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
    )
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def main(state: Path) -> int:
    """Run a cloud in this process until SIGTERM; the exit code."""
    config, paths = configuration.load(state), Paths(state)
    lock = hold_lock(paths)
    if lock is None:
        print(f"a cloud already runs from {state}", file=sys.stderr)  # noqa: T201
        return 1
    shutil.rmtree(paths.run / "metrics", ignore_errors=True)
    folders.ensure(config, paths)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(paths.run / "metrics")
    # What counts is imported only now: the figures' files are made at import, in that folder.
    from andromede import log_setup
    from andromede.roles import listen, prepare

    log_setup.configure("supervisor")
    try:
        mains = prepare.roles(config, paths)
    except (OSError, RuntimeError, listen.PortTakenError) as error:
        log.error("cannot start", reason=str(error), exc_info=True)
        return 1
    Supervisor(config, paths, mains).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
