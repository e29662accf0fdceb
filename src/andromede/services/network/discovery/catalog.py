"""The extensions that are served, no more. Source of aliases and names: neutron-lib's definitions."""

from __future__ import annotations

UPDATED = "2026-01-01T00:00:00-00:00"

_SERVED = {
    "address-group": ("Address group", "Lists of addresses for security group rules."),
    "address-scope": ("Address scope", "Realms in which addresses do not overlap."),
    "agent": ("agent", "The agents of a cloud."),
    "allowed-address-pairs": ("Allowed Address Pairs", "More addresses a port may send from."),
    "availability_zone": ("Availability Zone", "Where resources may be placed."),
    "binding": ("Port Binding", "Where a port is bound, for operators."),
    "default-subnetpools": ("Default Subnetpools", "The pool that is used when none is named."),
    "dhcp_agent_scheduler": ("DHCP Agent Scheduler", "Which networks have DHCP."),
    "dns-integration": ("DNS Integration", "Names of ports and networks."),
    "empty-string-filtering": ("Empty String Filtering Extension", "Filters by the empty text."),
    "ext-gw-mode": ("Neutron L3 Configurable external gateway mode", "SNAT on or off."),
    "external-net": ("Neutron external network", "Networks that lead outside."),
    "expose-port-forwarding-in-fip": (
        "Expose Floating IP port forwardings", "Forwardings in the body of a floating IP.",
    ),
    "extra_dhcp_opt": ("Neutron Extra DHCP options", "DHCP options of a port."),
    "extraroute": ("Neutron Extra Route", "Static routes of a router."),
    "extraroute-atomic": ("Atomically add/remove extra routes", "Routes added and removed singly."),
    "filter-validation": ("Filter parameters validation", "Unknown filters are refused."),
    "fip-port-details": ("Floating IP Port Details Extension", "The port of a floating IP."),
    "floating-ip-port-forwarding": (
        "Floating IP Port Forwarding", "Single ports of a floating IP.",
    ),
    "floating-ip-port-forwarding-description": (
        "Floating IP Port Forwarding new attribute description", "Forwardings described.",
    ),
    "floating-ip-port-forwarding-detail": (
        "Floating IP port forwarding detail", "Which forwarding is which.",
    ),
    "floating-ip-port-forwarding-port-ranges": (
        "Floating IP Port Forwarding support port ranges", "Several ports at once.",
    ),
    "ip-substring-filtering": ("IP address substring filtering", "Ports by part of an address."),
    "net-mtu": ("Network MTU", "The MTU of a network."),
    "net-mtu-writable": ("Network MTU (writable)", "The MTU of a network, set."),
    "network-ip-availability": ("Network IP Availability", "How many addresses are used."),
    "network_availability_zone": ("Network Availability Zone", "Zones of networks."),
    "pagination": ("Pagination support", "Pages by limit and marker."),
    "port-security": ("Port Security", "Spoofing protection, on or off."),
    "port-security-groups-filtering": ("Port filtering on security groups", "Ports by group."),
    "project-id": ("project_id field enabled", "project_id beside tenant_id."),
    "provider": ("Provider Network", "How a network is made, for operators."),
    "qos": ("Quality of Service", "Limits and marks on what is carried."),
    "qos-bw-limit-direction": (
        "Direction for QoS bandwidth limit rule", "Limits of what comes in, too.",
    ),
    "qos-default": ("QoS default policy", "The policy of a project's new networks."),
    "qos-fip": ("Floating IP QoS", "Limits of floating IPs."),
    "qos-port-network-policy": (
        "Ports QoS network policy support", "The network's policy in the body of a port.",
    ),
    "qos-rule-type-details": ("Details of QoS rule types", "What rules may say."),
    "quotas": ("Quota management support", "Limits of projects."),
    "quota_details": ("Quota details management support", "Limits beside what is used."),
    "quota-check-limit": ("Quota engine limit check", "No limit below what is used."),
    "rbac-address-group": ("Add address_group type to RBAC", "Address groups shared."),
    "rbac-address-scope": ("Add address_scope type to RBAC", "Address scopes shared."),
    "rbac-policies": ("RBAC Policies", "What projects let each other use."),
    "rbac-security-groups": ("Add security_group type to RBAC", "Security groups shared."),
    "rbac-subnetpool": ("Add subnetpool type to RBAC", "Subnet pools shared."),
    "revision-if-match": (
        "If-Match constraints based on revision_number", "Changes of a known revision alone.",
    ),
    "router": ("Neutron L3 Router", "Routers and floating IPs."),
    "router_availability_zone": ("Router Availability Zone", "Zones of routers."),
    "security-group": ("security-group", "Security groups and their rules."),
    "security-groups-default-rules": (
        "Default rules for security groups", "What new security groups begin with.",
    ),
    "security-groups-normalized-cidr": (
        "Normalized CIDR field for security group rules", "A prefix without host bits.",
    ),
    "security-groups-remote-address-group": (
        "Remote address group id field for security group rules", "Rules by address group.",
    ),
    "security-groups-rules-belongs-to-default-sg": (
        "Security group rule belongs to the project's default security group",
        "Whether a rule is of a default group.",
    ),
    "security-groups-shared-filtering": (
        "Security group filtering on the shared field", "Security groups by shared.",
    ),
    "service-type": ("Neutron Service Type Management", "Who realises which service."),
    "sort-key-validation": ("Sort keys validation", "Unknown sort keys are refused."),
    "sorting": ("Sorting support", "Lists in the asked order."),
    "standard-attr-description": ("standard-attr-description", "A description of every noun."),
    "standard-attr-revisions": ("Resource revision numbers", "A number that grows with changes."),
    "standard-attr-tag": ("Tag support for resources with standard attribute", "Tags."),
    "standard-attr-timestamp": ("Resource timestamps", "When made, when changed."),
    "stateful-security-group": ("Stateful security group", "With connection tracking or without."),
    "tag": ("Tag support", "Tags on networks."),
    "subnet-service-types": ("Subnet service types", "Which ports a subnet is for."),
    "subnet_allocation": ("Subnet Allocation", "Subnets cut from pools."),
    "subnetpool-prefix-ops": (
        "Subnet Pool Prefix Operations", "Prefixes added to pools and taken away.",
    ),
    "subnet-external-network": ("Subnet belongs to external network", "Subnets by router:external."),
}  # fmt: skip

EXTENSIONS = [
    {"alias": alias, "name": name, "description": text, "updated": UPDATED, "links": []}
    for alias, (name, text) in sorted(_SERVED.items())
]
BY_ALIAS = {each["alias"]: each for each in EXTENSIONS}
