"""The command line of operators and users. It talks to the cloud over HTTP and to its supervisor by
signals; it reads no store."""
