"""What owners attach to servers: metadata and tags."""
