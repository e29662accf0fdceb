"""Address scopes: realms in which addresses do not overlap, and are routed as they are."""
