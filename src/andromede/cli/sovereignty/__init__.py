"""`andromede sovereignty …`: the world, policies, the log, consent and evidence, over HTTP only.

Each module adds its commands to `app`; `andromede.cli.main` joins them.
"""

from __future__ import annotations

import typer

app = typer.Typer(
    name="sovereignty",
    help="Where data lie, who owns and can compel whoever holds them, who touched them.",
    no_args_is_help=True,
)
