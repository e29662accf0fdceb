"""Resizes of servers as the compute API lists them, among migrations."""
