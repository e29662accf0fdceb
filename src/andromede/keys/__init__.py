"""The keys role: the only process that holds master keys and the log's signing key."""
