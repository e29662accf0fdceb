"""`andromede sovereignty …`: the world, policies, the log, consent and evidence, over HTTP only.

Each module adds its commands to `app`, and `load` imports them all for `andromede.cli.main`.
"""

from __future__ import annotations

import importlib

import typer

app = typer.Typer(
    name="sovereignty",
    help="Where data lie, who owns and can compel whoever holds them, who touched them.",
    no_args_is_help=True,
)
MODULES = (
    "world",
    "nouns",
    "certificates",
    "endpoints",
    "owners",
    "operators",
    "log",
    "witnesses",
    "policy",
    "findings",
)  # in the order of the help


def load() -> typer.Typer:
    """The commands with those of every module."""
    for name in MODULES:
        importlib.import_module(f"andromede.cli.sovereignty.{name}")
    return app
