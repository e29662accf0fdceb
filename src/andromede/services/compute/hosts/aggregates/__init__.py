"""Host aggregates: sets of hosts that operators make, and the zones that some of them are."""
