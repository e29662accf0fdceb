"""Users, their passwords and what they may read of themselves."""
