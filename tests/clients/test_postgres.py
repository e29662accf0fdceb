"""A whole cloud on PostgreSQL: first start, a server's life, and a second start."""

from __future__ import annotations

from andromede.cli import control
from andromede.cli.client import poll
from benchmarks import scratch
from benchmarks.api import _Target
from tests.postgres import Postgres


def test_a_cloud_on_postgresql(postgres: Postgres) -> None:
    url = postgres.empty()
    with scratch.cloud(database=url) as cloud:
        target = _Target(cloud)
        target.fill(3)
        server = f"/servers/{target.servers[0]}"
        control.stop(cloud.state)
        control.start(cloud.state, cloud.config)
        assert cloud.customer.call("compute", "GET", server)["server"]["status"] == "ACTIVE"
        cloud.customer.call("compute", "DELETE", server)
        poll(
            lambda: (
                target.servers[0]
                not in [
                    s["id"] for s in cloud.customer.call("compute", "GET", "/servers")["servers"]
                ]
            ),
            60,
            "the server was not deleted",
        )
        assert scratch.failures(cloud.state) == []
    postgres.drop(url)
