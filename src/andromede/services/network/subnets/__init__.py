"""Subnets: blocks of addresses on a network."""
