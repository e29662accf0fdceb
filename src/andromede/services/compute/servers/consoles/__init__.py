"""Consoles to open in a browser: who asks for one gets an address with a token in it, which opens
the server's screen or serial port once, and ends with what its bearer may do."""
