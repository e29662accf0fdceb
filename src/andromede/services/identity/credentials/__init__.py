"""Application credentials: a part of a user's roles, under a secret of their own."""
