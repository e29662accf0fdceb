"""Floating IPs through compute: the pools they come from, and the servers they stand for.

Source: the compute API's reference, "Floating IPs", "Floating IP pools" and "Add (Associate)
Floating IP".
"""

from __future__ import annotations

import ipaddress
from typing import Any

from msgspec import Struct

from andromede.http.context import Context
from andromede.http.errors import ApiError, BadRequest, Conflict, NotFound
from andromede.http.operation import Reply
from andromede.services.compute.proxies import rows
from andromede.services.compute.servers import guards
from andromede.services.compute.servers.model import Server
from andromede.services.network.api import ports_of

LAST_ACT = (2, 43)
EXHAUSTED = ("IpAddressGenerationFailure", "ExternalIpAddressExhausted")


class Pool(Struct):
    pool: str | None = None


class Add(Struct, forbid_unknown_fields=True):
    address: str
    fixed_address: str | None = None


class AddBody(Struct, forbid_unknown_fields=True):
    addFloatingIp: Add  # noqa: N815


class Remove(Struct, forbid_unknown_fields=True):
    address: str


class RemoveBody(Struct, forbid_unknown_fields=True):
    removeFloatingIp: Remove  # noqa: N815


def _pools(context: Context) -> dict[str, str]:
    """The names of the networks that floating IPs come from, by their ids."""
    found = rows.network(context, "GET", "networks", **{"router:external": "true"})
    return {each["id"]: each["name"] for each in found["networks"]}


def _view(found: dict[str, Any], pools: dict[str, str]) -> dict[str, Any]:
    port = found["port_details"] or {}
    return {
        "id": found["id"],
        "ip": found["floating_ip_address"],
        "pool": pools.get(found["floating_network_id"], found["floating_network_id"]),
        "fixed_ip": found["fixed_ip_address"],
        "instance_id": port.get("device_id") or None,
    }


def list_pools(context: Context) -> dict[str, Any]:
    return {"floating_ip_pools": [{"name": name} for name in _pools(context).values()]}


def list_ips(context: Context) -> dict[str, Any]:
    found = rows.network(context, "GET", "floatingips", **rows.mine(context))["floatingips"]
    pools = _pools(context)
    return {"floating_ips": [_view(each, pools) for each in rows.part(context, found)]}


def _find(context: Context) -> dict[str, Any]:
    """Errors: BadRequest for what is no UUID; NotFound."""
    wanted = rows.identifier(context.params["id"], "Floating IP")
    try:
        found: dict[str, Any] = rows.network(context, "GET", f"floatingips/{wanted}")
    except NotFound as error:
        raise NotFound(f"Floating IP not found for ID {wanted}") from error
    return dict(found["floatingip"])


def show(context: Context) -> dict[str, Any]:
    return {"floating_ip": _view(_find(context), _pools(context))}


def create(context: Context) -> dict[str, Any]:
    """Errors: NotFound for a pool, and when it is empty; OverLimit."""
    body: Pool | None = context.body
    wanted = body.pool if body is not None else None
    pools = _pools(context)
    fitting = [key for key, name in pools.items() if wanted in (None, key, name)]
    if not fitting:
        raise NotFound(f"Floating IP pool {wanted} not found. There are: {sorted(pools.values())}.")
    asked = {"floatingip": {"floating_network_id": fitting[0]}}
    try:
        made = rows.network(context, "POST", "floatingips", asked)
    except ApiError as error:
        if error.type not in EXHAUSTED:
            raise
        raise NotFound(f"No more floating IPs in pool {pools[fitting[0]]}.") from error
    return {"floating_ip": _view(made["floatingip"], pools)}


def remove(context: Context) -> Reply:
    rows.network(context, "DELETE", f"floatingips/{_find(context)['id']}")
    return Reply(202)


def _address(text: str, name: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError as error:
        raise BadRequest(f"{name} {text!r} is not accepted: an IP address is.") from error


def _at(context: Context, text: str) -> dict[str, Any]:
    """The caller's floating IP of an address.

    Errors: BadRequest for what is no address; NotFound.
    """
    address = _address(text, "address")
    found = rows.network(
        context, "GET", "floatingips", floating_ip_address=address, **rows.mine(context)
    )
    if not found["floatingips"]:
        raise NotFound(f"Floating IP not found for address {address}.")
    return dict(found["floatingips"][0])


def _target(context: Context, server: Server, fixed: str | None) -> tuple[str, str]:
    """The port and the address of a server that a floating IP is to stand for: the first one.

    Errors: BadRequest when the server has no such address.
    """
    wanted = _address(fixed, "fixed_address") if fixed is not None else None
    for port in ports_of(context.conn, server.id):
        for held in port.addresses:
            if wanted == held.ip or (wanted is None and ":" not in held.ip):
                return port.id, held.ip
    if wanted is not None:
        raise BadRequest("Specified fixed address not assigned to instance")
    raise BadRequest(f"No fixed IPs associated to instance {server.id}")


def _point(context: Context, floating: dict[str, Any], port: str | None, ip: str | None) -> None:
    asked = {"floatingip": {"port_id": port, "fixed_ip_address": ip}}
    rows.network(context, "PUT", f"floatingips/{floating['id']}", asked)


def add(context: Context) -> None:
    """Have a floating IP stand for a server's address, and for no other from then on.

    Errors: BadRequest when it cannot; NotFound for the address.
    """
    body: AddBody = context.body
    server = guards.changeable(context)
    floating = _at(context, body.addFloatingIp.address)
    port, ip = _target(context, server, body.addFloatingIp.fixed_address)
    try:
        _point(context, floating, port, ip)
    except NotFound as error:
        raise BadRequest(f"Unable to associate floating IP: {error.message}") from error
    context.concerns(server.id, server.project_id)


def take(context: Context) -> None:
    """Errors: NotFound for the address; Conflict when it does not stand for the server."""
    body: RemoveBody = context.body
    server = guards.changeable(context)
    floating = _at(context, body.removeFloatingIp.address)
    if (floating["port_details"] or {}).get("device_id") != server.id:
        raise Conflict(
            f"Floating IP {floating['floating_ip_address']} is not associated with instance "
            f"{server.id}."
        )
    _point(context, floating, None, None)
    context.concerns(server.id, server.project_id)


OPERATIONS = [
    rows.row("GET", "/os-floating-ip-pools", list_pools, "floating-ip-pool:list"),
    rows.row("GET", "/os-floating-ips", list_ips, "floating-ip:list"),
    rows.row(
        "POST", "/os-floating-ips", create, "floating-ip:create", body=Pool, optional_body=True,
        places="create",
    ),
    rows.row("GET", "/os-floating-ips/{id}", show, "floating-ip:show"),
    rows.row("DELETE", "/os-floating-ips/{id}", remove, "floating-ip:delete", status=202),
    rows.row(
        "POST", "/servers/{id}/action", add, "server:add-floating-ip", key="addFloatingIp",
        body=AddBody, status=202, until=LAST_ACT, places="expose",
    ),
    rows.row(
        "POST", "/servers/{id}/action", take, "server:remove-floating-ip", key="removeFloatingIp",
        body=RemoveBody, status=202, until=LAST_ACT,
    ),
]  # fmt: skip
