"""Policies: what the cloud, a domain or a project demands of the places of its data. The strictest
wins."""
