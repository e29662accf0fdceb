"""Load from wrk: requests a second of one route, at some number of clients."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
REFUSED = re.compile(r"Non-2xx or 3xx responses: (\d+)")
TOTAL = re.compile(r"(\d+) requests in")


def rate(
    url: str,
    clients: int,
    seconds: float,
    *,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    body: Any = None,
) -> tuple[float, int]:
    """Requests a second, and how many were made.

    Errors: RuntimeError when any was refused: a refusal is not the work that is measured.
    """
    script = [f'wrk.method = "{method}"']
    for name, value in (headers or {}).items():
        script.append(f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}")
    if body is not None:
        script.append(f"wrk.body = {json.dumps(json.dumps(body))}")
        script.append('wrk.headers["Content-Type"] = "application/json"')
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "load.lua"
        path.write_text("\n".join(script))
        done = subprocess.run(
            [
                "wrk",
                "-t1",
                f"-c{clients}",
                f"-d{seconds:g}s",
                "--timeout",
                "30s",
                "-s",
                str(path),
                url,
            ],
            capture_output=True,
            text=True,
            check=True,
        )
    refused = REFUSED.search(done.stdout)
    if refused is not None:
        raise RuntimeError(f"{method} {url}: {refused[1]} requests were refused:\n{done.stdout}")
    found, total = RATE.search(done.stdout), TOTAL.search(done.stdout)
    assert found is not None, done.stdout
    assert total is not None, done.stdout
    return float(found[1]), int(total[1])
