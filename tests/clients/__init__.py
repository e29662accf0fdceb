"""Unmodified clients against a running cloud."""
