"""What guests reach, and what reaches them: each other, the world, and nothing of the host."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest

from andromede.cli.client import poll
from tests.host.guest_cloud import ANSWER, PATIENCE, SSH_IN, Guests, Server

pytestmark = pytest.mark.host
WAIT = 3  # seconds in the guest for what must not come
REFUSED = "refused"


def banner(server: Server, address: str, wait: int = WAIT) -> str:
    """What SSH at an address says first, asked from a guest; empty when nothing answers."""
    read = f"exec 3<>/dev/tcp/{address}/22 && read -r line <&3 && echo $line"
    return server.try_ssh(f"timeout {wait} bash -c '{read}' 2>/dev/null").stdout.strip()


def pings(server: Server, address: str) -> bool:
    return server.try_ssh(f"ping -c 1 -W {WAIT} {address}").returncode == 0


def test_names_of_the_networks_other_ports_resolve(guests: Guests) -> None:
    assert f"Address: {guests.beta.fixed}" in guests.alpha.ssh("nslookup beta")
    full = guests.beta.ssh("nslookup alpha.openstacklocal")
    assert f"Address: {guests.alpha.fixed}" in full
    assert f"Address: {guests.alpha.fixed}" not in guests.gamma.try_ssh("nslookup beta").stdout
    assert "delta" not in guests.alpha.try_ssh("nslookup delta | grep Address.*10.1").stdout


def test_networks_of_one_router_reach_each_other(guests: Guests) -> None:
    assert banner(guests.alpha, guests.delta.fixed).startswith("SSH-2.0")
    assert pings(guests.delta, guests.alpha.fixed)


def test_a_floating_address_is_the_guests_to_the_world(guests: Guests) -> None:
    outside, alpha = guests.world.outside, guests.alpha
    with outside.listening(80) as seen:
        assert alpha.ssh(f"curl -sf -m 20 http://{outside.address}/") == ANSWER.decode()
    assert seen == [alpha.floating]
    assert outside.banner(alpha.floating).startswith("SSH-2.0")


def test_without_one_the_router_lends_its_own(guests: Guests) -> None:
    """The floating address is taken away while the guest keeps asking, and given back."""
    outside, delta, api = guests.world.outside, guests.delta, guests.delta.tenant.api
    gateway = guests.router["external_gateway_info"]["external_fixed_ips"][0]["ip_address"]
    listed = api.call("network", "GET", "/v2.0/floatingips", None,
                      floating_ip_address=delta.floating)["floatingips"][0]  # fmt: skip
    path = f"/v2.0/floatingips/{listed['id']}"
    with outside.listening(81) as seen:
        delta.background(f"while sleep .3; do curl -s -m 2 http://{outside.address}:81/; done")
        poll(lambda: delta.floating in seen, PATIENCE, "the guest asks by its floating address")
        api.call("network", "PUT", path, {"floatingip": {"port_id": None}})
        poll(lambda: gateway in seen, PATIENCE, "the guest asks by the router's address")
        api.call("network", "PUT", path, {"floatingip": {"port_id": listed["port_id"]}})
        poll(lambda: seen[-1] == delta.floating, PATIENCE, "and by its floating one again")
    delta.hang_up()
    delta.wait_ssh()
    delta.end_background()
    assert set(seen) == {gateway, delta.floating}


def test_hairpin(guests: Guests) -> None:
    """A guest reaches another guest, and itself, by floating address."""
    assert banner(guests.delta, guests.alpha.floating).startswith("SSH-2.0")
    assert banner(guests.alpha, guests.alpha.floating).startswith("SSH-2.0")
    assert guests.alpha.floating in _ssh_peer(guests)


def _ssh_peer(guests: Guests) -> str:
    """Who beta sees when alpha comes to beta's floating address."""
    alpha, beta = guests.alpha, guests.beta
    rule = guests.tenant.allow("quiet", protocol="tcp", port_range_min=8080, port_range_max=8080)
    try:
        beta.background("nc -l -p 8080 </dev/zero")
        alpha.background(f"until nc {beta.floating} 8080 </dev/zero; do sleep .3; done")
        look = "netstat -tn 2>/dev/null | grep ':8080 .*ESTABLISHED'"
        poll(lambda: beta.try_ssh(look).returncode == 0, PATIENCE, "alpha comes to beta")
        return beta.ssh(look).split()[4]
    finally:
        guests.tenant.forbid(rule)
        for each in (alpha, beta):
            each.end_background()


def test_a_group_denies_by_default_and_allows_what_a_rule_says(guests: Guests) -> None:
    alpha, beta, tenant = guests.alpha, guests.beta, guests.tenant
    assert beta.ssh("echo in") == "in"  # its group lets the host's side in
    assert banner(alpha, beta.fixed) == ""
    assert banner(alpha, beta.floating) == ""
    assert not pings(alpha, beta.fixed)
    rule = tenant.allow("quiet", **SSH_IN, remote_group_id=tenant.groups["login"])
    poll(lambda: banner(alpha, beta.fixed), PATIENCE, "the rule lets alpha in")
    assert not pings(alpha, beta.fixed)
    tenant.forbid(rule)
    poll(lambda: not banner(alpha, beta.fixed), PATIENCE, "without the rule alpha stays out")


def test_a_rule_that_goes_cuts_what_it_let_in(guests: Guests) -> None:
    alpha, beta, tenant = guests.alpha, guests.beta, guests.tenant
    port = {"protocol": "tcp", "port_range_min": 9000, "port_range_max": 9000}
    rule = tenant.allow("quiet", **port, remote_ip_prefix=f"{alpha.fixed}/32")
    beta.background("while sleep .2; do echo tick; done | nc -l -p 9000")
    alpha.background(f"until curl -sN telnet://{beta.fixed}:9000 >>ticks; do sleep .3; done")

    def grows() -> bool:
        first, last = alpha.ssh("touch ticks; wc -l <ticks; sleep 2; wc -l <ticks").split()
        return int(last) > int(first)

    poll(grows, PATIENCE, "ticks come through")
    tenant.forbid(rule)
    poll(lambda: not grows(), PATIENCE, "and stop with the rule")
    for each in (alpha, beta):
        each.end_background()


@contextlib.contextmanager
def _service_of_the_host(address: str) -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind((address, 0))
        listener.listen()
        yield int(listener.getsockname()[1])


def test_guests_reach_nothing_of_the_host_but_the_public_api(guests: Guests) -> None:
    config, gateway = guests.world.cloud.config, guests.world.outside.gateway
    public, private = (int(each.rpartition(":")[2]) for each in (config.public, config.private))
    alpha = guests.alpha
    answered = alpha.ssh(f"curl -sk -m 30 https://{gateway}:{public}/identity/v3")
    assert '"stable"' in answered
    assert pings(alpha, gateway)
    with _service_of_the_host(gateway) as port, _service_of_the_host("0.0.0.0") as wide:
        for each in (port, wide):
            socket.create_connection((gateway, each), 5).close()  # the host itself reaches them
        for each in (port, wide, private, 22):
            code = f"curl -sk -m {WAIT} -o /dev/null https://{gateway}:{each}/ || echo $?"
            assert alpha.ssh(code) == "28", f"port {each} of the host answers"  # timed out


def test_the_operators_login_is_of_no_use_to_a_guest(guests: Guests) -> None:
    """What reaches the public listener from inside is served as from anywhere: not the operator."""
    config, gateway = guests.world.cloud.config, guests.world.outside.gateway
    port = config.public.rpartition(":")[2]
    url = f"https://{gateway}:{port}/compute/v2.1/servers"
    code = guests.alpha.ssh(f"curl -sk -m 30 -o /dev/null -w '%{{http_code}}' {url}")
    assert code == "401"


def test_projects_with_the_same_addresses_are_apart(guests: Guests) -> None:
    """alpha and gamma have the same address on networks of the same range."""
    alpha, gamma = guests.alpha, guests.gamma
    assert alpha.fixed == gamma.fixed
    assert gamma.ssh("hostname") == "gamma"
    uuid = "curl -sf http://169.254.169.254/openstack/latest/meta_data.json"
    assert gamma.id in gamma.ssh(uuid)
    assert gamma.id not in alpha.ssh(uuid)
    for address in (guests.beta.fixed, guests.delta.fixed):
        assert not pings(gamma, address)
        assert banner(gamma, address) == ""
    assert banner(gamma, alpha.floating).startswith("SSH-2.0")  # the only way, and it is allowed


def test_a_networks_addresses_are_not_reached_around_its_router(guests: Guests) -> None:
    outside = guests.world.outside
    gateway = guests.router["external_gateway_info"]["external_fixed_ips"][0]["ip_address"]
    outside.route("10.0.0.0/24", gateway)
    assert outside.banner(guests.alpha.fixed, WAIT) == ""
    assert outside.banner(guests.alpha.floating).startswith("SSH-2.0")
