"""Health and metrics, as monitoring asks for them: `/healthz` on both listeners, `/metrics` on the
private one."""

from __future__ import annotations

import os
import time
from pathlib import Path

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from andromede.config import Paths
from andromede.http.context import Context
from andromede.http.errors import plain_shape
from andromede.http.operation import Operation, Reply, Service, Transaction

STALE = 10.0  # seconds without a sign of life after which a worker counts as down


def beat(path: Path) -> None:
    """The worker's sign of life."""
    path.touch()


def service(paths: Paths) -> Service:
    """`GET /healthz`: 200 with each part's state, 503 when one is down."""

    def show(context: Context) -> Reply:
        context.conn.execute(sa.text("SELECT 1"))
        parts = {"database": "up", "worker": _worker(paths.run / "worker.beat")}
        healthy = all(state == "up" for state in parts.values())
        return Reply(200 if healthy else 503, {"healthy": healthy, "parts": parts})

    return Service(
        name="health",
        type="health",
        mount="/healthz",
        error_shape=plain_shape,
        operations=[
            Operation(method="GET", path="/", handler=show, action="health:state:show", allow=None)
        ],
    )


def _worker(path: Path) -> str:
    try:
        age = time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return "down"
    return "up" if age < STALE else "down"


def metrics_service() -> Service:
    """`GET /metrics` in Prometheus' text format, over all processes of the cloud."""

    def show(_: Context) -> Reply:
        registry = CollectorRegistry()
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return Reply(200, generate_latest(registry), media_type="text/plain; version=0.0.4")

    return Service(
        name="metrics",
        type="metrics",
        mount="/metrics",
        error_shape=plain_shape,
        operations=[
            Operation(
                method="GET",
                path="/",
                handler=show,
                action="metrics:all:show",
                allow=None,
                transaction=Transaction.NONE,
            )
        ],
    )
