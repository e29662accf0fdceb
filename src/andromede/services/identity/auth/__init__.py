"""Authentication: from what a client proves to a token and its scope."""
