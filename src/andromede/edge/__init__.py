"""The edge role: metadata inside every network, and the consoles. It opens no network socket and no
file of a server itself; the worker hands it each. It knows no database and no service."""
