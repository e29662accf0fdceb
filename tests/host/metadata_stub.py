"""Answers one HTTP request on standard input as the metadata service; QEMU runs it per connection."""

import sys
from pathlib import Path

request = sys.stdin.buffer.readline().split()
while sys.stdin.buffer.readline().strip():
    pass
source = Path(sys.argv[1]) / request[1].decode().rsplit("/", 1)[1]
found = source.is_file()
body = source.read_bytes() if found else b""
status = b"200 OK" if found else b"404 Not Found"
sys.stdout.buffer.write(b"HTTP/1.0 %s\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body)
sys.stdout.buffer.flush()
