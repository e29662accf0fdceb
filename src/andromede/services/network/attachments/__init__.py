"""What a server has of the network, as one statement tells it."""
