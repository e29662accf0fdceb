"""Domains: the roots under which users, groups and projects live."""
