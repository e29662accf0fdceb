"""`python -m andromede.cli`: what the launcher runs."""

from andromede.cli.main import run

run()
