"""Acts on servers that are mostly operators': moves between hosts, interrupts, networks set anew.

Source: the compute API's reference, "Servers - run an administrative action". A server's machine
lives and dies on its host: whoever asks for another host is told that there is none.
"""

from __future__ import annotations

from andromede.http.context import Context
from andromede.http.errors import ApiError, BadRequest, Conflict, Forbidden, NotFound
from andromede.services.compute import values
from andromede.services.compute.hosts import store as hosts
from andromede.services.compute.servers import guards, history
from andromede.services.compute.servers.actions.intent import begin
from andromede.services.compute.servers.model import Server
from andromede.services.compute.servers.schema import (
    AddAddressBody,
    EvacuateBody,
    LiveBody,
    MigrateBody,
    RemoveAddressBody,
)
from andromede.services.compute.servers.states import Vm
from andromede.services.network import api as network

DUMPED = {Vm.ACTIVE, Vm.PAUSED, Vm.RESCUED, Vm.RESIZED, Vm.ERROR}
NO_HOST = "No valid host was found. A server's machine stays on its host here: there is no other."


class Gone(ApiError):
    status = 410


def migrate(context: Context) -> None:
    """Errors: BadRequest, for no host takes it; Conflict for the state; Forbidden for a host named by
    others than operators."""
    body: MigrateBody = context.body
    server = guards.unlocked(context)
    host = body.migrate.host if body.migrate is not None else None
    if host is not None and not context.caller.admin:
        raise Forbidden(
            "Policy doesn't allow os_compute_api:os-migrate-server:migrate:host to be performed."
        )
    guards.in_state(server, "migrate", vm={Vm.ACTIVE, Vm.STOPPED})
    _refuse_host(context, server, host)
    raise BadRequest(NO_HOST)


def _refuse_host(context: Context, server: Server, host: str | None) -> None:
    if host is None:
        return
    if host not in hosts.places(context.conn):
        raise BadRequest(f"Compute host {host} could not be found.")
    if host == server.host:
        raise BadRequest("Cannot migrate to the host where the server exists.")


def live_migrate(context: Context) -> None:
    """Errors: BadRequest, for no host takes it; Conflict for the state."""
    body: LiveBody = context.body
    asked = body.wanted
    server = guards.unlocked(context)
    if asked.block_migration != "auto":
        values.boolean(asked.block_migration, "block_migration")
    guards.in_state(server, "os-migrateLive", vm={Vm.ACTIVE, Vm.PAUSED})
    _refuse_host(context, server, asked.host)
    raise BadRequest(NO_HOST)


def evacuate(context: Context) -> None:
    """Errors: BadRequest, for its host is in use; NotFound for a host; Conflict for the state."""
    body: EvacuateBody = context.body
    asked = body.evacuate
    server = guards.changeable(context)
    if asked.host is not None and asked.host not in hosts.places(context.conn):
        raise NotFound(f"Compute host {asked.host} not found.")
    if asked.host is not None and asked.host == server.host:
        raise BadRequest("The target host can't be the same one.")
    allowed = {Vm.ACTIVE, Vm.STOPPED, Vm.ERROR}
    guards.in_state(server, "evacuate", vm=allowed, task=None)
    raise BadRequest(f"Compute service of {server.host} is still in use.")


def crash_dump(context: Context) -> None:
    """The guest gets an interrupt that it cannot mask; what it does with it is its own."""
    server = guards.unlocked(context)
    guards.in_state(server, "trigger_crash_dump", vm=DUMPED)
    effect = "compute_trigger_crash_dump"
    begin(context, server, "trigger_crash_dump", effect, "interrupt", updated_at=server.updated_at)


def reset_network(_: Context) -> None:
    """Errors: Gone, as since the release that removed it."""
    raise Gone("This resource is no longer available. No forwarding address is given.")


def inject_network(context: Context) -> None:
    """Guests have their networks by DHCP and metadata at once: there is nothing to be done."""
    server = guards.unlocked(context)
    history.begin(context, server, "injectNetworkInfo")


def add_fixed_ip(context: Context) -> None:
    """Errors: BadRequest when the server has no port on the network, or no address is left there."""
    body: AddAddressBody = context.body
    server = guards.unlocked(context)
    guards.in_state(server, "addFixedIp", task=None, launched=False)
    network_id = body.addFixedIp.networkId
    try:
        found = network.add_address(context, server.id, network_id)
    except Conflict as error:
        raise BadRequest(error.message) from error
    if not found:
        raise BadRequest(f"Network could not be found for instance {server.id}: {network_id}.")
    history.begin(context, server, "addFixedIp")


def remove_fixed_ip(context: Context) -> None:
    """Errors: BadRequest when the server has no such address."""
    body: RemoveAddressBody = context.body
    server = guards.unlocked(context)
    ip = body.removeFixedIp.address
    if not network.remove_address(context, server.id, ip):
        raise BadRequest(f"Fixed IP not found for instance {server.id}: {ip}.")
    history.begin(context, server, "removeFixedIp")
