"""Grants of roles, and the assignments that follow from them."""
