"""Configuration of domains: what operators note of where a domain's users come from."""
