"""Tags on every noun."""
