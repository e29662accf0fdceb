"""The listeners' certificate: made, renewed before its end, and taken up without a restart."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from andromede import clock, tls
from andromede.config import Paths, new_config
from andromede.roles import certificate

HOSTS = ["127.0.0.1", "localhost"]
DAY = 24 * 3600 * clock.SECOND


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assert tls.ensure(tmp_path, "cloud", HOSTS, os.getuid())
    return tmp_path


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    yield
    clock.set_source(None)


def in_days(days: int) -> None:
    moment = clock.now() + days * DAY
    clock.set_source(lambda: moment)


def serial(folder: Path) -> int:
    return x509.load_pem_x509_certificate((folder / tls.SERVER).read_bytes()).serial_number


def test_it_is_kept_while_it_serves(folder: Path) -> None:
    first = serial(folder)
    assert not tls.ensure(folder, "cloud", HOSTS, os.getuid())
    in_days(tls.LEAF_DAYS - tls.RENEW_BEFORE.days - 1)
    assert not tls.ensure(folder, "cloud", HOSTS[:1], os.getuid())
    assert serial(folder) == first


def test_it_is_renewed_before_its_end(folder: Path) -> None:
    first, authority = serial(folder), (folder / tls.AUTHORITY).read_bytes()
    in_days(tls.LEAF_DAYS - tls.RENEW_BEFORE.days + 1)
    assert tls.ensure(folder, "cloud", HOSTS, os.getuid())
    assert serial(folder) != first
    assert tls.left(folder / tls.SERVER).days == tls.LEAF_DAYS - 1
    assert (folder / tls.AUTHORITY).read_bytes() == authority


@pytest.mark.parametrize("fault", ["another host", "another key", "no key", "no certificate"])
def test_one_that_does_not_serve_is_made_anew(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, fault: str
) -> None:
    hosts = list(HOSTS)
    if fault == "another host":
        hosts.append("192.0.2.1")
    elif fault == "another key":  # as after a renewal that was cut off
        other = tmp_path_factory.mktemp("other")
        tls.ensure(other, "cloud", HOSTS, os.getuid())
        (other / tls.SERVER_KEY).replace(folder / tls.SERVER_KEY)
    elif fault == "no key":
        (folder / tls.SERVER_KEY).unlink()
    else:
        (folder / tls.SERVER).write_text("no certificate")
    assert tls.ensure(folder, "cloud", hosts, os.getuid())
    certificate.load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), folder)
    assert not tls.ensure(folder, "cloud", hosts, os.getuid())


def test_the_listeners_addresses_are_in_it(tmp_path: Path) -> None:
    config = new_config(engine="simulated", public="192.0.2.7:443")
    paths = Paths(tmp_path)
    certificate.keep(config, paths)
    made = x509.load_pem_x509_certificate((paths.tls / tls.SERVER).read_bytes())
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = {str(each) for each in names.get_values_for_type(x509.IPAddress)}
    assert addresses == {"127.0.0.1", "192.0.2.7"}
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]


async def presented(port: int, folder: Path) -> int:
    """The serial number of the certificate that a new connection is shown, and has verified."""
    context = ssl.create_default_context(cafile=str(folder / tls.AUTHORITY))
    _, writer = await asyncio.open_connection("localhost", port, ssl=context)
    raw = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    await writer.wait_closed()
    return x509.load_der_x509_certificate(raw).serial_number


def test_a_new_one_is_presented_without_a_restart(folder: Path) -> None:
    async def run() -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.load(context, folder)
        server = await asyncio.start_server(
            lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context
        )
        port = server.sockets[0].getsockname()[1]
        following = asyncio.create_task(certificate.follow([context], folder, every=0.01))
        first = await presented(port, folder)
        assert first == serial(folder)
        key = (folder / tls.SERVER_KEY).read_bytes()
        (folder / tls.SERVER_KEY).unlink()  # a renewal under way: it is waited for
        assert await presented(port, folder) == first
        (folder / tls.SERVER_KEY).write_bytes(key)
        assert tls.ensure(folder, "cloud", [*HOSTS, "192.0.2.1"], os.getuid())
        async with asyncio.timeout(10):
            while await presented(port, folder) == first:
                assert not following.done()
        assert await presented(port, folder) == serial(folder)
        following.cancel()
        server.close()
        await server.wait_closed()

    asyncio.run(run())
