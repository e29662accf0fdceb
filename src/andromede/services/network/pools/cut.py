"""Subnets cut from pools: which pool, and which block of it."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any

from andromede import quotas
from andromede.http.context import Context
from andromede.http.errors import ApiError, BadRequest
from andromede.services.network.common import handling
from andromede.services.network.common.attributes import UNSET
from andromede.services.network.common.errors import OverQuota, invalid
from andromede.services.network.common.store import Row
from andromede.services.network.pools import plan, store
from andromede.services.network.pools.store import POOLS


def cut(context: Context, values: dict[str, Any], others: Sequence[Row]) -> None:
    """Set `cidr` and `subnetpool_id` of a new subnet; `others` are its network's subnets.

    Errors: BadRequest when pool, prefix and block do not go together; NotFound for an unknown pool;
    OverQuota; Conflict (SubnetAllocationError) when nothing is left.
    """
    pool = _pool(context, values)
    _check_siblings(pool, values, others)
    if pool is None:
        values["subnetpool_id"] = None
        if values["cidr"] is UNSET:
            raise bad("a subnetpool must be specified in the absence of a cidr")
        if values["prefixlen"] is not UNSET:
            raise bad("prefixlen goes with a subnetpool")
        return
    if pool["ip_version"] != values["ip_version"]:
        raise invalid(
            f"ip_version '{values['ip_version']}' does not match subnetpool {pool['id']}, which is "
            f"of IPv{pool['ip_version']}"
        )
    values["subnetpool_id"] = pool["id"]
    values["cidr"] = _block(context, pool, values)


def _pool(context: Context, values: dict[str, Any]) -> Row | None:
    named = values["subnetpool_id"] or None
    if values["use_default_subnetpool"]:
        if named:
            raise bad("subnetpool_id and use_default_subnetpool cannot both be specified")
        found = store.default(context.conn, values["ip_version"])
        if found is None:
            raise bad(f"No default subnetpool found for IPv{values['ip_version']}")
        return found
    return handling.find(context, POOLS, named) if named else None


def _check_siblings(pool: Row | None, values: dict[str, Any], others: Sequence[Row]) -> None:
    """Subnets of one family on one network are of one pool, or of none."""
    wanted = pool["id"] if pool else None
    for other in others:
        if other["ip_version"] == values["ip_version"] and other["subnetpool_id"] != wanted:
            raise BadRequest(
                "Subnets hosted on the same network must be allocated from the same subnet pool.",
                type="NetworkSubnetPoolAffinityError",
            )


def _block(context: Context, pool: Row, values: dict[str, Any]) -> str:
    length, cidr = values["prefixlen"], values["cidr"]
    if cidr is not UNSET and length is not UNSET:
        raise bad("cidr and prefixlen must not be supplied together")
    taken = store.blocks(context.conn, pool["id"])
    if cidr is not UNSET:
        block = ipaddress.ip_network(cidr)
        plan.check_length(pool, block.prefixlen)
        plan.require_free(pool["prefixes"], taken, block)
    else:
        if values["allocation_pools"] is not UNSET:
            raise bad("allocation_pools allowed only for specific subnet requests")
        wanted = pool["default_prefixlen"] if length is UNSET else length
        plan.check_length(pool, wanted)
        block = plan.first_free(pool["prefixes"], taken, wanted)
    if pool["default_quota"]:
        mine = store.blocks(context.conn, pool["id"], values["project_id"])
        quotas.require(
            pool["default_quota"],
            plan.units(pool["ip_version"], mine),
            plan.units(pool["ip_version"], [str(block)]),
            "Per-project subnet pool prefix quota exceeded.",
            PoolQuota,
        )
    return str(block)


class PoolQuota(OverQuota):
    """A pool gives a project no more."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.type = "SubnetPoolQuotaExceeded"


def bad(message: str) -> ApiError:
    return BadRequest(f"Bad subnets request: {message}.", type="BadRequest")
