"""What the API refuses the command line tells in words, in one line; with `--json` as it is, too."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import pytest

from andromede.cli import main
from andromede.cli.client import ApiFailure
from andromede.cli.sovereignty import common

URL = "https://cloud/sovereignty/v1/affiliations/u1"
SAID = (
    "affiliation of user u1 is refused: data of project p1 would be opened to acme, whose seat "
    "nobody declared (rule supplier_access, set on cloud). Accepted: a supplier of the European Union."
)
PLAIN = {"message": SAID, "code": 403, "title": "Forbidden"}


@pytest.mark.parametrize(
    ("answered", "said"),
    [
        (json.dumps(PLAIN), SAID),
        (json.dumps({"error": {"code": 403, "title": "x", "message": "keystone's"}}), "keystone's"),
        (json.dumps({"itemNotFound": {"code": 404, "message": "nova's"}}), "nova's"),
        (json.dumps({"NeutronError": {"type": "X", "message": "two\nlines"}}), "two lines"),
        (json.dumps({"versions": ["v1"]}), '{"versions": ["v1"]}'),
        ("[1]", "[1]"),
        ("<h1>Bad\n gateway</h1>" + "x" * 1000, "<h1>Bad gateway</h1>" + "x" * 579),
        ("", ""),
    ],
)
def test_the_message_is_found_in_every_services_shape(answered: str, said: str) -> None:
    assert str(ApiFailure("PUT", URL, 403, answered)) == f"PUT {URL} answered 403: {said}"


class Refusing:
    """A session whose every request is refused."""

    def __init__(self, answered: str) -> None:
        self.answered = answered
        self.closed = False

    def call(self, service: str, method: str, path: str, body: Any = None, **query: str) -> Any:
        raise ApiFailure(method, URL, 403, self.answered)

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("answered", "option", "printed"),
    [
        (json.dumps(PLAIN), [], ""),
        (json.dumps(PLAIN), ["--json"], json.dumps(PLAIN, indent=2) + "\n"),
        ("no JSON", ["--json"], ""),
    ],
)
def test_a_refusal_is_one_line_and_with_json_the_answer_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    answered: str, option: list[str], printed: str,
) -> None:  # fmt: skip
    session = Refusing(answered)
    monkeypatch.setattr(common, "open_session", lambda state: session)
    words = ["andromede", "sovereignty", "affiliation", "set", "u1", "acme", *option]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as ended:
        main.run()
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (1, printed)
    assert re.fullmatch(r"andromede: PUT https://\S+ answered 403: [^\n]+\n", err), err
    assert "{" not in err
    assert session.closed
