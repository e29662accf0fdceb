"""Lists of servers: what may be asked of them, and the SQL that answers."""
