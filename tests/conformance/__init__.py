"""Tempest against a cloud of its own: what `andromede test --conformance` runs."""
