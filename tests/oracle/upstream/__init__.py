"""Judges exchanges by the real services' own code. Runs in the oracle's environment, and imports
nothing of ours."""
