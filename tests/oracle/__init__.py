"""The schemas of the real services hold ours to their word: what is asked and answered in tests is
judged by them, at its microversion. `upstream` runs in an environment of its own, where they are
installed; nothing of theirs is here."""
