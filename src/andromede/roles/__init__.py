"""The processes of the cloud. The supervisor forks them; each drops to what it needs, then serves."""
