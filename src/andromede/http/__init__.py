"""The HTTP side of the cloud: one routing table, one dispatcher, each service's own error shape."""
