"""How often a server's machine died by itself in a row, so that starting it again has an end."""
