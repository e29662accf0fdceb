"""Compute: servers and what they are made of, as the compute API v2.1 speaks of them."""
