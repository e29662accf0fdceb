"""The host's side of networks: namespaces, bridges, taps, rules, DHCP, routers.

Touches only namespaces, links, tables and files that bear the cloud's mark.
"""

from andromede.engine.embedded.net.api import HostNetwork, NetworkView

DEBIAN_PACKAGES = ("nftables", "dnsmasq-base", "util-linux", "kmod")

__all__ = ["DEBIAN_PACKAGES", "HostNetwork", "NetworkView"]
