"""The engine that runs servers on this host: QEMU, bridges, namespaces, files."""
