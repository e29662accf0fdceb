"""Projects and domains: one tree, whose roots are the domains."""
