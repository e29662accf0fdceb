"""Port forwardings: single ports of a floating IP that stand for ports of servers."""
