"""How many network resources a project may have."""
