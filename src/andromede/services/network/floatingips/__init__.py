"""Floating addresses: external addresses that stand for a port's."""
