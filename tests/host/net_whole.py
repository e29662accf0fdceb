"""One whole host of networking, as documents and as verbs that ensure and remove each part of it."""

from __future__ import annotations

from collections.abc import Callable

from andromede.engine.embedded.net import HostNetwork, dnsmasq, links, namespaces, nft
from tests.host import net_documents as doc

NET = doc.network("net", 2)
A, B = doc.port(NET, 11), doc.port(NET, 12)
RULES = doc.firewall(NET, (A, B), doc.group(*doc.EGRESS, doc.SSH, members=(A, B)))
ROUTER = doc.router(10, (NET,), (("172.24.4.111", "10.0.0.11"),))
Verb = Callable[[HostNetwork], None]
VERBS: dict[str, tuple[Verb, Verb]] = {
    "external": (
        lambda host: host.ensure_network(doc.EXTERNAL),
        lambda host: host.remove_network(doc.EXTERNAL.id),
    ),
    "network": (lambda host: host.ensure_network(NET), lambda host: host.remove_network(NET.id)),
    "port": (lambda host: host.ensure_port(A), lambda host: host.remove_port(A.id)),
    "other port": (lambda host: host.ensure_port(B), lambda host: host.remove_port(B.id)),
    "firewall": (lambda host: host.ensure_firewall(RULES), lambda host: None),
    "router": (
        lambda host: host.ensure_router(ROUTER),
        lambda host: host.remove_router(ROUTER.id),
    ),
}
ALL = {"networks": {NET.id, doc.EXTERNAL.id}, "ports": {A.id, B.id}, "routers": {ROUTER.id}}


class CutOffError(BaseException):
    """Stands for the death of the worker."""


def ensure_all(host: HostNetwork) -> None:
    for ensure, _ in VERBS.values():
        ensure(host)


def found(host: HostNetwork) -> dict[str, set[str]]:
    view = host.observe()
    assert view.strays == frozenset()
    return {
        "networks": set(view.networks),
        "ports": set(view.ports),
        "routers": set(view.routers),
    }


def left_over(host: HostNetwork) -> list[str]:
    """Everything of the cloud's mark, looked for by other means than `observe`."""
    mark = host.names.mark
    found = [name for name in links.held() if name.startswith(mark)]
    found += namespaces.listed(mark)
    found += [name for _, name in nft.present() if name == mark]
    found += [f"process {pid}" for pid in dnsmasq.running(host.store.root)]
    return found + [str(path) for path in host.store.root.rglob("*") if path.is_file()]
