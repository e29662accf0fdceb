"""Security group rules."""
