"""Networks: broadcast domains with their DHCP, DNS and metadata."""
