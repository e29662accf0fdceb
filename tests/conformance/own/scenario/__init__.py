"""Scenarios with real guests, over SSH."""
