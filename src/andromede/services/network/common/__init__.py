"""What every noun of the network service shares: attributes, errors, lists, standard columns."""
