"""The authorization matrix is what the cloud does, and says what it should."""

from __future__ import annotations

import difflib

import pytest

from tests.contract import authz
from tests.contract.authz_reasons import unused
from tests.contract.whole.world import PUBLIC, rows


def test_the_matrix_is_what_the_cloud_does() -> None:
    kept, found = authz.FILE.read_text(), authz.page()
    diff = difflib.unified_diff(
        kept.splitlines(), found.splitlines(), "accepted", "as it is", n=0, lineterm=""
    )
    if kept != found:
        pytest.fail(
            "the cloud answers otherwise than tests/contract/authz-matrix.txt says:\n"
            + "\n".join(diff)
            + f"\nLook at each line; when all are right, accept them with\n  {authz.COMMAND}"
        )


def test_every_row_lets_somebody_in_or_says_why() -> None:
    lines = list(authz.cells())
    assert len(lines) == sum(1 for _ in rows())
    refused = [name for codes, name in lines if not any(code[0] == "2" for code in codes)]
    assert [name for name in refused if "  # " not in name] == []


def test_rows_without_a_rule_ask_for_no_token_and_all_others_do() -> None:
    for (codes, name), (_, row) in zip(authz.cells(), rows(), strict=True):
        first, last = codes[PUBLIC.index("none")], codes[-1]
        if row.allow is None:
            assert len(set(codes)) == 1, name  # whoever asks
            assert first not in ("401", "403"), name
        else:
            assert (first, last) == ("401", "401"), name  # and operators, on the public listener


def test_readers_change_nothing_in_compute_image_and_network() -> None:
    """But their own keypairs, which are users' and no project's. What is offered is accepted."""
    changing = [
        (codes, name)
        for (codes, name), (service, row) in zip(authz.cells(), rows(), strict=True)
        if service.name in ("compute", "image", "network")
        and row.method not in ("GET", "HEAD")
        and "keypair" not in name
    ]
    assert len(changing) > 50
    for persona in ("reader", "other", "domain", "sysread"):
        at = authz.COLUMNS.index(persona)
        open_to = {name for codes, name in changing if codes[at][0] == "2"}
        made = ("POST", "PUT /image/v2/images/{id}/members/{member}")
        expected = {name for name in open_to if persona == "other" and name.startswith(made)}
        assert open_to == expected, persona  # another project may make its own


def test_no_reason_outlives_its_row() -> None:
    assert unused([row for _, row in rows()]) == set()
