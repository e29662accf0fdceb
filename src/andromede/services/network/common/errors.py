"""The network service's refusals, each with the type name its clients look for.

Source of the type names: neutron-lib's exceptions, as `NeutronError.type` carries them.
"""

from __future__ import annotations

from andromede.http.errors import ApiError, BadRequest, Conflict, Forbidden, NotFound


class OverQuota(ApiError):
    """A quota would be exceeded; the network API says so with a conflict."""

    status = 409

    def __init__(self, message: str) -> None:
        super().__init__(message, type="OverQuota")


MISSING = {
    "network": ("NetworkNotFound", "Network {} could not be found."),
    "subnet": ("SubnetNotFound", "Subnet {} could not be found."),
    "subnetpool": ("SubnetPoolNotFound", "Subnet pool {} could not be found."),
    "address_scope": ("AddressScopeNotFound", "Address scope {} could not be found."),
    "port": ("PortNotFound", "Port {} could not be found."),
    "router": ("RouterNotFound", "Router {} could not be found"),
    "floatingip": ("FloatingIPNotFound", "Floating IP {} could not be found"),
    "rbac_policy": ("RbacPolicyNotFound", "RBAC policy {} not found"),
    "address_group": ("AddressGroupNotFound", "Address group {} could not be found."),
    "policy": ("QosPolicyNotFound", "QoS policy {} could not be found."),
    "port_forwarding": ("PortForwardingNotFound", "Port Forwarding {} could not be found."),
    "security_group": ("SecurityGroupNotFound", "Security group {} does not exist"),
    "security_group_rule": (
        "SecurityGroupRuleNotFound",
        "Security group rule {} does not exist",
    ),
}


def missing(noun: str, resource_id: str) -> NotFound:
    """A 404 for a resource that is not there, or that the caller may not know of."""
    name, text = MISSING[noun]
    return NotFound(text.format(resource_id), type=name)


def invalid(message: str, name: str = "InvalidInput") -> BadRequest:
    """A 400 about the meaning of the input."""
    return BadRequest(f"Invalid input for operation: {message}.", type=name)


def bad_request(noun: str, message: str) -> BadRequest:
    """A 400 about what is asked of a resource."""
    return BadRequest(f"Bad {noun} request: {message}.", type="BadRequest")


def in_use(name: str, message: str) -> Conflict:
    """A 409 because something stands on the resource."""
    return Conflict(message, type=name)


def forbidden(message: str) -> Forbidden:
    """A 403 of the access rules."""
    return Forbidden(message, type="PolicyNotAuthorized")
