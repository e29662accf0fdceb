"""The addresses of ports: which subnet each is of, and that no two ports hold the same."""
