"""What this service is and serves: versions, extensions, agents, zones."""
