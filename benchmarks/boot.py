"""Seconds to the SSH banner: a server asked of the API, beside its QEMU started by hand.

Both boot the same command line, disk, config drive and guest. Ours has port and floating IP made
before and is reached by the floating IP, from the moment its POST is sent.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from andromede import jail
from andromede.cli import images
from andromede.cli.client import ApiFailure, poll
from andromede.cli.firstlight import FirstLight
from andromede.config import Paths, default_state
from andromede.engine.embedded.machine import process
from benchmarks import banner, scratch
from benchmarks.frame import Row, median_row
from benchmarks.rawboot import RawBoot
from benchmarks.scratch import Scratch

IMAGE = "tiny"
TIMES = 10
GOAL = "<= 1.15"
PATIENCE = 120.0
TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Sample:
    """One boot of ours, in seconds."""

    total: float
    answered: float  # from the POST to its answer
    started: float  # from the POST to the start of QEMU's process


def run() -> list[Row]:
    """Interleaved boots of both kinds, and where ours spent its time until QEMU."""
    raw, ours = [], []
    with scratch.cloud("embedded") as cloud, contextlib.ExitStack() as stack:
        customer = Customer(cloud)
        with customer.server() as pid:
            folder = Paths(cloud.state).servers / customer.last
            bare = RawBoot(pid, folder, Paths(cloud.state).bases)
            stack.callback(bare.close)
        for turn in range(TIMES):
            if turn % 2:
                raw.append(bare.boot())
            ours.append(customer.sample())
            if not turn % 2:
                raw.append(bare.boot())
    alone = median_row("raw QEMU: process to SSH banner", raw, "s")
    total = [each.total for each in ours]
    after = [each.total - each.started for each in ours]
    return [
        alone,
        median_row("ours: POST to SSH banner", total, "s", limit=alone.value, goal=GOAL),
        median_row("ours: POST to its answer", [each.answered for each in ours], "s"),
        median_row("ours: POST to QEMU's process", [each.started for each in ours], "s"),
        median_row("ours: QEMU's process to SSH banner", after, "s", limit=alone.value),
    ]


class Customer:
    """Makes one server after the other on one port with a floating address."""

    def __init__(self, cloud: Scratch) -> None:
        _upload(cloud)
        self.cloud = cloud
        self.api = cloud.customer
        folder = cloud.state / "bench"
        folder.mkdir(mode=0o700)
        self.light = FirstLight(self.api, folder)
        self.light.prepare(IMAGE)
        self.last = ""
        self.port, self.address = self.light.port()

    def body(self) -> dict[str, Any]:
        return {"server": {**self.light.wanted(self.port), "config_drive": True}}

    @contextlib.contextmanager
    def server(self) -> Iterator[int]:
        """A server that answers over SSH, for the body's time; the pid of its QEMU."""
        made = self.api.call("compute", "POST", "/servers", self.body())["server"]
        self.last = made["id"]
        try:
            banner.wait(self.address)
            yield self._pid()
        finally:
            self._remove()

    def sample(self) -> Sample:
        """Make a server and take its times."""
        body = self.body()
        at, began = time.clock_gettime(time.CLOCK_BOOTTIME), time.monotonic()
        self.last = self.api.call("compute", "POST", "/servers", body)["server"]["id"]
        answered = time.monotonic() - began
        try:
            total = banner.wait(self.address) - began
            started = jail.started(self._pid()) / TICK - at
        finally:
            self._remove()
        return Sample(total, answered, started)

    def _pid(self) -> int:
        config = self.cloud.config
        marked = process.marked(config.short, config.uid_base)
        return next(pid for pid, server_id in marked if server_id == self.last)

    def _remove(self) -> None:
        self.api.call("compute", "DELETE", f"/servers/{self.last}")

        def gone() -> bool:
            try:
                self.api.call("compute", "GET", f"/servers/{self.last}")
            except ApiFailure as error:
                return error.status == 404
            return False

        poll(gone, PATIENCE, f"server {self.last} is not gone")


def _upload(cloud: Scratch) -> None:
    """Have the tiny image, built below the usual state folder if need be, in the cloud."""
    state = default_state()
    image = images.path(IMAGE, Paths(state).guests)
    if not images.built(IMAGE, Paths(state).guests):
        images.build_quietly(IMAGE, state)
    scratch.upload(cloud, image)
