"""The cloud's own figures, for Prometheus. Each process counts into the shared run folder."""

from __future__ import annotations

import functools

from prometheus_client import Counter, Histogram

REQUESTS = Histogram(
    "andromede_request_seconds",
    "Time to answer requests",
    ["action", "status"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)


@functools.cache
def requests(action: str, status: int) -> Histogram:
    """The figure of one action and status; looking it up by labels costs more than to count."""
    return REQUESTS.labels(action, str(status))


STEPS = Histogram(
    "andromede_step_seconds",
    "Time a lifecycle's step took",
    ["kind", "step", "outcome"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60),
)
LEAVES = Counter("andromede_leaves_total", "Leaves numbered by the sequencer")
