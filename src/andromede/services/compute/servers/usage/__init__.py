"""What projects used of servers in a period, as far as the rows remember it."""
