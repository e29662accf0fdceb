"""Limits: numbers that operators register for a service's resources, and set for single projects, for
services to hold themselves to. This cloud's own quotas are its services'."""
