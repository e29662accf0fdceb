"""Tests that run within Tempest as its own do, for what Tempest asks with more than there is."""
