"""Trusts: a part of one user's roles, lent to another. Source: the identity API's OS-TRUST."""
