"""Tokens: sealed, self-contained, and dead at once when what they rest on changes."""
