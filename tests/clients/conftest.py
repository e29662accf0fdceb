"""A running cloud with the simulated engine, and `openstack` logged in to it twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks import scratch
from benchmarks.scratch import Scratch
from tests.clients.command import OpenStack


@pytest.fixture(scope="session")
def running() -> Iterator[Scratch]:
    with scratch.cloud() as cloud:
        yield cloud
        assert scratch.failures(cloud.state) == []


@pytest.fixture(scope="session")
def operator(running: Scratch) -> Iterator[OpenStack]:
    """The local operator, by the clouds.yaml that `up` wrote."""
    path = running.state / "clients" / "operator" / "clouds.yaml"
    client = OpenStack({"OS_CLIENT_CONFIG_FILE": str(path), "OS_CLOUD": "operator"})
    yield client
    client.close()


@pytest.fixture(scope="session")
def customer(running: Scratch) -> Iterator[OpenStack]:
    """A customer with the role member in the project `bench`, on the public listener."""
    client = OpenStack(customer_login(running))
    yield client
    client.close()


def customer_login(running: Scratch) -> dict[str, str]:
    """The variables that log the customer in."""
    user = running.login["auth"]["identity"]["password"]["user"]
    return {
        "OS_AUTH_URL": running.customer.auth_url,
        "OS_CACERT": str(running.state / "tls" / "ca.pem"),
        "OS_USERNAME": user["name"],
        "OS_PASSWORD": user["password"],
        "OS_USER_DOMAIN_ID": "default",
        "OS_PROJECT_NAME": "bench",
        "OS_PROJECT_DOMAIN_ID": "default",
        "OS_IDENTITY_API_VERSION": "3",
    }
