"""What filters a network: its servers' ports, and the groups that they and their rules name."""
