"""The agent's client against guests that answer, flood, fall silent, lie or go."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from andromede.engine.embedded.machine import agent
from andromede.engine.embedded.machine.agent import Agent, Refused, Silent

Says = Callable[[dict[str, Any]], bytes]
Start = Callable[..., socket.socket]
PATIENCE = 5.0
SOON = 0.05


def in_step(call: dict[str, Any]) -> bytes:
    return b'\xff{"return": %d}\n' % call["arguments"]["id"]


@pytest.fixture
def guest() -> Iterator[Start]:
    """Starts a guest that answers call after call, and goes after the last answer; our end."""
    threads: list[threading.Thread] = []
    ends: list[socket.socket] = []

    def start(*answers: Says, stays: bool = False) -> socket.socket:
        ours, theirs = socket.socketpair()
        ends.extend((ours, theirs))

        def run() -> None:
            lines = theirs.makefile("rb")
            for each in answers:
                call = json.loads(lines.readline().lstrip(b"\xff"))
                theirs.sendall(each(call))
            if not stays:
                theirs.shutdown(socket.SHUT_RDWR)

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        return ours

    yield start
    for each in ends:
        each.close()
    for thread in threads:
        thread.join()


def test_a_command_is_sent_and_answered(guest: Start) -> None:
    calls: list[dict[str, Any]] = []

    def answer(call: dict[str, Any]) -> bytes:
        calls.append(call)
        return b'{"return": {}}\n'

    found = Agent(guest(in_step, answer), PATIENCE)
    assert found.execute("guest-set-user-password", PATIENCE, username="root") == {}
    assert calls == [{"execute": "guest-set-user-password", "arguments": {"username": "root"}}]


@pytest.mark.parametrize(
    "before",
    [b'{"error": {"class": "GenericError", "desc": "half a question"}}\n', b'\xff{"return": 7}\n',
     b"\xffno JSON\n", b'\xff{"neither": 1}\n', b"\xff{}\n", b'{"return": {}}'],
    ids=["an error", "another's", "no JSON", "a stranger", "nothing", "half a line"],
)  # fmt: skip
def test_what_was_under_way_is_passed_over(guest: Start, before: bytes) -> None:
    ours = guest(lambda call: before + in_step(call), lambda _: b'{"return": 5}\n')
    assert Agent(ours, PATIENCE).execute("x", PATIENCE) == 5


def test_a_refusal_is_quoted_in_part_and_made_fit_to_show(guest: Start) -> None:
    said = json.dumps({"error": {"class": "x", "desc": "\x1b[2J\nno " + "a" * 999}}).encode()
    ours = guest(in_step, lambda _: said + b"\n")
    with pytest.raises(Refused) as caught:
        Agent(ours, PATIENCE).execute("guest-exec", PATIENCE)
    text = str(caught.value)
    assert text.startswith("guest-exec: the guest says  [2J no aaa")
    assert len(text) < agent.QUOTED + 50


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b'{"error": {"desc": 7}}\n', "nothing that can be read"),
        (b'{"error": "no"}\n', "the guest sent"),
        (b"{}\n", "neither a result nor an error"),
        (b'{"return": 1, "error": {}}\n', "neither a result nor an error"),
        (b'{"return": 1, "more": 2}\n', "the guest sent"),
        (b"\xfe\xff\n", "the guest sent"),
        (b'{"return": ' + b"[" * 9000 + b"\n", "the guest sent"),
        (b"x" * agent.LONGEST, "bytes without an answer"),
    ],
    ids=["number", "text", "nothing", "both", "more", "no text", "deep", "flood"],
)
def test_what_is_no_answer_is_refused(guest: Start, answer: bytes, why: str) -> None:
    found = Agent(guest(in_step, lambda _: answer, stays=True), PATIENCE)
    with pytest.raises(Refused, match=why):
        found.execute("x", PATIENCE)


def test_a_flood_instead_of_a_sync_ends(guest: Start) -> None:
    with pytest.raises(Refused, match="bytes without an answer"):
        Agent(guest(lambda _: b"x" * agent.LONGEST, stays=True), PATIENCE)


def test_silence_ends(guest: Start) -> None:
    with pytest.raises(Silent, match="no answer"):
        Agent(guest(lambda _: b"", stays=True), SOON)
    found = Agent(guest(in_step, lambda _: b'{"return"', stays=True), PATIENCE)
    with pytest.raises(Silent, match="no answer"):
        found.execute("x", SOON)


def test_a_guest_that_goes(guest: Start) -> None:
    with pytest.raises(Silent, match="ended"):
        Agent(guest(lambda _: b""), PATIENCE)
    ours, theirs = socket.socketpair()
    theirs.close()
    with ours, pytest.raises(Silent, match="guest-sync-delimited: "):
        Agent(ours, PATIENCE)
