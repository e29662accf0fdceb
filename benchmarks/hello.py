"""The limit of the API: hello-world under the very server the api role uses, TLS and all."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from andromede.roles import api, listen

BODY = b'{"hello": "world"}'
HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]


async def hello(_: Any, __: Any, send: Any) -> None:
    """The least an ASGI application can do."""
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})


def main(port: int, tls: Path, processes: int) -> None:
    """Serve until SIGTERM, in as many processes as the api has."""
    children = []
    for _ in range(processes - 1):
        pid = os.fork()
        if pid == 0:
            children.clear()
            break
        children.append(pid)
    listening = listen.tcp("127.0.0.1", port, shared=True)
    with asyncio.Runner(loop_factory=api._loop_factory()) as runner:
        runner.run(api._serve_all([(api._server(hello, tls), [listening])], tls))
    for pid in children:
        os.kill(pid, signal.SIGTERM)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
