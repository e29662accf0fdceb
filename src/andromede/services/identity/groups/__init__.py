"""Groups of users and their members."""
