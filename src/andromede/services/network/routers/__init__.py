"""Routers: legs in networks, an external gateway, static routes."""
