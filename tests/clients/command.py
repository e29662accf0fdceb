"""The `openstack` command as tests use it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[2]
DRIVER = Path(__file__).with_name("driver.py")


def client_folder() -> Path:
    """Where the programs of the client's own virtual environment are."""
    ours = Path(os.environ.get("ANDROMEDE_VENV") or CHECKOUT / ".venv")
    return ours.with_name(f"{ours.name}-client") / "bin"


class ClientFailed(AssertionError):
    """A command ended with an error."""


class OpenStack:
    """One login's commands, in a folder. `run` gives the text, `json` the parsed `-f json` output."""

    def __init__(self, environment: Mapping[str, str], folder: Path | None = None) -> None:
        client = client_folder() / "python"
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("OS_", "PYTHON"))}
        self._process = subprocess.Popen(
            [str(client), "-P", "-W", "ignore", str(DRIVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**clean, **environment},
            cwd=folder,
        )

    def execute(self, *arguments: str) -> dict[str, Any]:
        """Run a command; its code, output and errors."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(arguments) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the client's process ended"
        return dict(json.loads(line))

    def run(self, *arguments: str) -> str:
        """Run a command that must succeed; what it printed."""
        answer = self.execute(*arguments)
        if answer["code"] != 0:
            raise ClientFailed(f"openstack {' '.join(arguments)}\n{answer['err']}{answer['out']}")
        return str(answer["out"])

    def json(self, *arguments: str) -> Any:
        """Run a command with `-f json`; what it answered."""
        return json.loads(self.run(*arguments, "-f", "json"))

    def fails(self, *arguments: str) -> str:
        """Run a command that must fail; its error text."""
        answer = self.execute(*arguments)
        assert answer["code"] != 0, f"openstack {' '.join(arguments)} succeeded"
        return str(answer["err"]) + str(answer["out"])

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=20)
        if self._process.stdout is not None:
            self._process.stdout.close()
