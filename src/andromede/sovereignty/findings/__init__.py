"""Findings: what no longer is where a policy lets it be; notices to customers; plans to heal it."""
