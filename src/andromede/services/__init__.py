"""One package per API; services meet only through the functions of each other's `api` module."""
