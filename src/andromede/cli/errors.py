"""How a command says that it cannot: one line, what is wrong and what to do, and its exit code."""

from __future__ import annotations

FAILED = 1
USAGE = 2
NOT_RUNNING = 3


class CliError(Exception):
    """A command cannot do what it was asked. Nothing was changed."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code
