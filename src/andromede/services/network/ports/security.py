"""Who may ask for what on a port, and which security groups it gets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from andromede.http.context import Context
from andromede.http.errors import BadRequest, Conflict
from andromede.services.network.addresses.store import Held
from andromede.services.network.common.attributes import UNSET
from andromede.services.network.common.errors import forbidden, missing
from andromede.services.network.common.store import Row
from andromede.services.network.groups import store as groups
from andromede.services.network.networks import store as networks
from andromede.services.network.shares import store as shares

OWNERS_ONLY = ("mac_address", "port_security_enabled", "allowed_address_pairs")


def owns(context: Context, network: Row) -> bool:
    """Whether the caller is the network's project, or an operator."""
    return context.caller.admin or network["project_id"] == context.project_id


def may_create(context: Context, network: Row, values: dict[str, Any]) -> None:
    """A stranger makes plain ports on a shared network, and none on an external one.

    Errors: Forbidden naming what is refused.
    """
    if owns(context, network):
        return
    if not networks.is_shared(context.conn, network, context.project_id):
        raise forbidden(
            f"rule:create_port is disallowed by policy: network {network['id']} is external; "
            f"routers and floating IPs attach to it"
        )
    may_set(context, network, values, "create")


def may_set(context: Context, network: Row, values: dict[str, Any], act: str) -> None:
    """Refuse what only the network's owner sets on a port.

    Errors: Forbidden naming the attribute.
    """
    if owns(context, network):
        return
    refused = [name for name in OWNERS_ONLY if values.get(name)]
    if values.get("port_security_enabled") is False:
        refused.append("port_security_enabled")
    if any("ip_address" in each for each in values.get("fixed_ips") or ()):
        refused.append("fixed_ips:ip_address")
    if str(values.get("device_owner", "")).startswith("network:"):
        refused.append("device_owner")
    if refused:
        raise forbidden(
            f"rule:{act}_port:{refused[0]} is disallowed by policy: network {network['id']} "
            f"belongs to another project"
        )


def groups_for(
    context: Context, project_id: str, values: dict[str, Any], secured: bool, addressable: bool
) -> list[str]:
    """The groups of a new port: those named, or the project's default one when the port gets an
    address (`addressable`: its network has some).

    Errors: BadRequest when the port is not secured; NotFound for another project's group.
    """
    if values["allowed_address_pairs"] and not secured:
        raise _pairs_need_security()
    named = values["security_groups"]
    if named is UNSET:
        plain = not values["device_owner"].startswith("network:")
        addressed = values["fixed_ips"] is UNSET or bool(values["fixed_ips"])
        if secured and plain and addressed and addressable:
            return [groups.ensure_default(context.conn, project_id)]
        return []
    if named and not secured:
        raise needs_security()
    require_groups(context, project_id, named)
    return list(named)


def require_groups(context: Context, project_id: str, named: Sequence[str]) -> None:
    """Errors: NotFound for a group that is neither the port's project's nor shared with it, unless an
    operator asks."""
    if not named:
        return
    owners = groups.existing(context.conn, named)
    foreign = [each for each in named if owners.get(each) != project_id]
    lent = shares.shared_with(context.conn, project_id, foreign)
    for group_id in foreign:
        if group_id not in lent and not (context.caller.admin and group_id in owners):
            raise missing("security_group", group_id)


def check_groups_need_address(group_ids: Sequence[str], held: Sequence[Held]) -> None:
    """Errors: BadRequest when groups are to filter a port without an address."""
    if group_ids and not held:
        raise needs_security()


def needs_security() -> BadRequest:
    return BadRequest(
        "Port security must be enabled and port must have an IP address in order to use security "
        "groups.",
        type="PortSecurityAndIPRequiredForSecurityGroups",
    )


def _pairs_need_security() -> Conflict:
    return Conflict(
        "Port Security must be enabled in order to have allowed address pairs on a port.",
        type="AddressPairAndPortSecurityRequired",
    )


def check_change(row: Row, group_ids: Sequence[str], values: dict[str, Any]) -> None:
    """What a changed port's security must satisfy.

    Errors: Conflict or BadRequest naming what is in the way.
    """
    secured = values.get("port_security_enabled", row["port_security_enabled"])
    pairs = values.get("allowed_address_pairs", row["pairs"])
    if secured:
        return
    if group_ids:
        raise Conflict(
            "Port has security group associated. Cannot disable port security or IP address "
            "until security group is removed.",
            type="PortSecurityPortHasSecurityGroup",
        )
    if pairs:
        raise _pairs_need_security()
