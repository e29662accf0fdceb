"""Free ranges: the next free address or number without scanning what is taken."""
