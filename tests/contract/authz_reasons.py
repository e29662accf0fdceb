"""Why rows of the authorization matrix let no persona through, or answer one otherwise than the
default policies of the real services do. By action, or by method and path."""

from __future__ import annotations

from andromede.http.operation import Operation, Service

SHORT = "public; this log is too short for such a tile"
OWNER = "asks for a project's token, for what it makes is that project's; the system is none"
STATE = "409: the server is in no state for it"
ALONE = "there is no second host"
NEVER = "404: servers never migrate here"
BODY = "not tried yet with a body that it accepts"
SIGNED = "asks that what is validated bears a signature"
REASONS: dict[str, str] = {
    "image:data:import": BODY,
    "identity:ec2tokens:validate": SIGNED,
    "identity:s3tokens:validate": SIGNED,
    "image:info:stores": "404 as in a real service without several stores",
    "image:store:remove": "403 as upstream: an image is in one store, and goes from it whole",
    "image:versions:choices": "public; 300 as upstream",
    "identity:version:list": "public; 300 as upstream",
    "witness:checkpoint:add": "asks for no token, but that the log signed what is submitted",
    "GET /v1/log/tile/{level}/{n0}/{n1}/{n2}": SHORT,
    "GET /v1/log/tile/{level}/{n0}/{n1}/{n2}/{n3}": SHORT,
    "GET /v1/log/tile/{level}/{n0}/{n1}/{n2}/{n3}/{n4}": SHORT,
    "compute:server:create": OWNER,
    "compute:server-group:create": OWNER,
    "compute:server-interface:create": BODY,
    "compute:server-event:create": BODY,
    "compute:server:remove-address": BODY,
    "compute:server:reset-network": "410 as in the real service",
    **dict.fromkeys(
        (
            "compute:server:confirm-resize",
            "compute:server:revert-resize",
            "compute:server:restore",
            "compute:server:resume",
            "compute:server:unpause",
            "compute:server:unrescue",
            "compute:server:unshelve",
            "compute:server:shelve-offload",
        ),
        STATE,
    ),
    **dict.fromkeys(
        (
            "compute:server:evacuate",
            "compute:server:migrate",
            "compute:server:live-migrate",
        ),
        ALONE,
    ),
    **dict.fromkeys(
        (
            "compute:migration:abort",
            "compute:migration:show",
            "compute:migration:force-complete",
        ),
        NEVER,
    ),
    "compute:console:get-spice": "400: consoles are served by VNC and as serial ports only",
    "compute:console:get-rdp": "400: consoles are served by VNC and as serial ports only",
    "GET /v2.1/os-console-auth-tokens/{id}": "400 to 2.30, as upstream",
    **dict.fromkeys(
        ("GET /{s0}/{s1}/{s2}", "GET /{s0}/{s1}/{s2}/{s3}", "GET /{s0}/{s1}/{s2}/{s3}/{s4}/{s5}"),
        "public; files of noVNC, which the tests do without",
    ),
    "compute:floating-ip:create": OWNER,
    "compute:group:create": OWNER,
    "compute:group-rule:create": OWNER,
    "compute:server:add-floating-ip": BODY,
    "compute:server:remove-floating-ip": "409: it stands for no server",
    "compute:service:delete": "409: it is up",
    **dict.fromkeys(
        ("compute:host:startup", "compute:host:shutdown", "compute:host:reboot"),
        "501 as in the real service, whose engine does not power its host",
    ),
    "image:image:create": OWNER,
    "image:task:create": OWNER,
    "sovereignty:bundle:show": "the system has no leaves: an operator names the project it asks of",
    "sovereignty:notice:read": "noted for the caller's project; the system is none",
    "compute:server:add-group": "a group is sought in the caller's project; the system is none",
    "compute:server:remove-group": "a group is sought in the caller's project; the system is none",
    "network:quota:show": "readers see their own project's, as compute shows them theirs",
    "network:quota:default": "readers see their own project's, as compute shows them theirs",
    "network:quota:details": "readers see their own project's, as compute shows them theirs",
    "network:availability:list": "members are told that they may not; upstream shows them none",
    "network:availability:show": "members are told that they may not; upstream says 404",
    "compute:flavor:show": "a private flavor, which the project may use",
    "compute:keypair:show": "an operator asks for another's by ?user_id=, as upstream",
    "compute:keypair:delete": "an operator asks for another's by ?user_id=, as upstream",
    "identity:catalog:show": "a catalog is made for a project's token, as upstream",
    "identity:application_credential:create": "of oneself only, as upstream",
}


def reason(service: Service, row: Operation) -> str:
    """The reason beside a row; empty for none."""
    return REASONS.get(f"{row.method} {row.path}") or REASONS.get(row.action, "")


def unused(rows: list[Operation]) -> set[str]:
    """Reasons of rows that are no more."""
    return set(REASONS) - {
        name for row in rows for name in (f"{row.method} {row.path}", row.action)
    }
