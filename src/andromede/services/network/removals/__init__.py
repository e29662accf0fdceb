"""What was deleted from the API and may still be on the host."""
