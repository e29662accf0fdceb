"""Access rules: which requests an application credential is for."""
