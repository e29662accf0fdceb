"""What does the network's work on each host: one worker, which clients know as several agents."""
