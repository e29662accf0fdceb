"""Server groups: servers that are to share a host, or not to."""
