"""Where everything of the network service is."""
