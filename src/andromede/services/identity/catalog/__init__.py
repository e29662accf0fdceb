"""The catalog: the services this process really serves, at the addresses of the listener."""
