"""Waits for the first words of an SSH server without ever sleeping through them."""

from __future__ import annotations

import contextlib
import selectors
import socket
import time

EVERY = 0.025  # seconds between attempts; each goes on beside the later ones
KEPT = 40  # attempts under way at most
WITHIN = 120.0


def wait(address: str, port: int = 22) -> float:
    """When (`time.monotonic`) a server at the address first said that it speaks SSH.

    A first packet that nobody was there to take is sent again by the kernel only a second later;
    so a new connection is tried every 25 ms, and the first that is greeted counts.
    Errors: TimeoutError.
    """
    until = time.monotonic() + WITHIN
    attempts: list[socket.socket] = []
    with selectors.DefaultSelector() as waiting:
        try:
            while (now := time.monotonic()) < until:
                _try(address, port, attempts, waiting)
                if _greeted(waiting, attempts, now + EVERY):
                    return time.monotonic()
        finally:
            for each in attempts:
                each.close()
    raise TimeoutError(f"no SSH server at {address} within {WITHIN:.0f} s")


def _try(
    address: str, port: int, attempts: list[socket.socket], waiting: selectors.BaseSelector
) -> None:
    if len(attempts) >= KEPT:
        _drop(attempts[0], attempts, waiting)
    attempt = socket.socket()
    attempt.setblocking(False)
    attempts.append(attempt)
    waiting.register(attempt, selectors.EVENT_READ)
    with contextlib.suppress(BlockingIOError, OSError):
        attempt.connect((address, port))


def _greeted(waiting: selectors.BaseSelector, attempts: list[socket.socket], until: float) -> bool:
    while (left := until - time.monotonic()) > 0:
        for key, _ in waiting.select(left):
            attempt = key.fileobj
            assert isinstance(attempt, socket.socket)
            try:
                if attempt.recv(8).startswith(b"SSH-"):
                    return True
            except OSError:
                pass  # refused: the guest is there, the server is not yet
            _drop(attempt, attempts, waiting)
    return False


def _drop(
    attempt: socket.socket, attempts: list[socket.socket], waiting: selectors.BaseSelector
) -> None:
    waiting.unregister(attempt)
    attempts.remove(attempt)
    attempt.close()
