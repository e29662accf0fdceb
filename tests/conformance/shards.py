"""Deals the classes of tests to worker processes, and keeps what they tell."""

from __future__ import annotations

import configparser
import hashlib
import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path

from tests.conformance.results import Kept

TEST_TIMEOUT = 900  # seconds for one test
# What takes the floating address that the guest of its class is reached by to one of its own, and
# leaves the class without: it gets a turn for itself.
ALONE = frozenset({
    "tempest.api.compute.servers.test_server_actions.ServerActionsTestJSON"
    ".test_change_server_password",
})  # fmt: skip


def class_of(test: str) -> str:
    return test.rpartition(".")[0]


def of(test: str, parts: int) -> int:
    """The part that a test belongs to: a class is never divided."""
    return int.from_bytes(hashlib.sha256(class_of(test).encode()).digest()[:4]) % parts


def run(python: Path, worker: Path, conf: Path, tests: list[str], workers: int, kept: Kept) -> None:
    """Run tests, a class at a time in each worker."""
    classes: dict[str, list[str]] = {}
    for each in tests:
        classes.setdefault(each if each in ALONE else class_of(each), []).append(each)
    due: queue.SimpleQueue[list[str]] = queue.SimpleQueue()
    for names in sorted(classes.values(), key=len, reverse=True):
        due.put(names)
    environment = {
        **os.environ, "TEMPEST_CONFIG_DIR": str(conf.parent), "TEMPEST_CONFIG": conf.name,
        "OS_TEST_TIMEOUT": str(TEST_TIMEOUT), "SSL_CERT_FILE": _authority(conf),
    }  # fmt: skip
    command = [str(python), str(worker), "run"]
    threads = [
        threading.Thread(target=_serve, args=(command, environment, conf.parent, due, kept))
        for _ in range(workers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _authority(conf: Path) -> str:
    """The certificates that the cloud is trusted by, for what Tempest fetches past its own client, as
    the pages of consoles."""
    told = configparser.RawConfigParser()
    told.read(conf)
    return told["identity"]["ca_certificates_file"]


def _serve(
    command: list[str],
    environment: dict[str, str],
    folder: Path,
    due: queue.SimpleQueue[list[str]],
    kept: Kept,
) -> None:
    """One worker process after the other, until nothing is due."""
    process: subprocess.Popen[str] | None = None
    while True:
        try:
            names = due.get_nowait()
        except queue.Empty:
            break
        if process is None or process.poll() is not None:
            with (folder / "workers.log").open("a") as log:
                process = subprocess.Popen(
                    command, env=environment, cwd=folder, text=True, stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE, stderr=log,
                )  # fmt: skip
        _run_class(process, names, kept)
    if process is not None:
        assert process.stdin is not None
        process.stdin.close()
        process.wait()


def _run_class(process: subprocess.Popen[str], names: list[str], kept: Kept) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(" ".join(names) + "\n")
    process.stdin.flush()
    told: set[str] = set()
    for line in process.stdout:
        outcome = json.loads(line)
        if "done" in outcome:
            break
        told.add(outcome["test"])
        kept.add(outcome)
    for name in names:
        if name not in told:
            kept.add({"test": name, "outcome": "failed", "text": "it was never run", "seconds": 0})
    passed = sum(kept.outcome(name) == "passed" for name in names)
    print(f"{passed}/{len(names)} {class_of(names[0])}", file=sys.stderr, flush=True)
