"""A web server with one disk, for the tests that import images from the web."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def _disk() -> bytes:
    """An empty disk that QEMU finds sound."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "disk.qcow2"
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", path, "1M"], check=True)
        return path.read_bytes()


DISK = _disk()


class _Disk(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(DISK)))
        self.end_headers()
        self.wfile.write(DISK)

    def log_message(self, *_: object) -> None:
        return


@contextlib.contextmanager
def serve() -> Iterator[str]:
    """The server's address, HOST:PORT."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Disk) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{listening.server_port}"
        finally:
            listening.shutdown()
            thread.join()
