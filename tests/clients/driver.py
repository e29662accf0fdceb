"""Runs inside the client's own environment: one process that executes many `openstack` commands.

Reads a JSON list of arguments a line, writes `{"code", "out", "err"}` a line. The client is the
unmodified python-openstackclient; only the cost of starting Python for each command is saved.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys

from openstackclient import shell  # type: ignore[import-not-found]


def execute(arguments: list[str]) -> dict[str, object]:
    """One command as `openstack ARGUMENTS` runs it."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = shell.OpenStackShell().run(arguments)
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
    return {"code": code, "out": out.getvalue(), "err": err.getvalue()}


def main() -> None:
    for line in sys.stdin:
        answer = execute(json.loads(line))
        sys.__stdout__.write(json.dumps(answer) + "\n")
        sys.__stdout__.flush()


if __name__ == "__main__":
    main()
