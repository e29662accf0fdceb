"""`verify` on what it cannot use: one line, and the exit code of a wrong command."""

from __future__ import annotations

from pathlib import Path

import pytest

from andromede.cli.errors import USAGE, CliError
from andromede.cli.verify import verify
from andromede.sovereignty.log import note as notes
from tests.harness import MemoryKeys

KEYS = MemoryKeys()
TEXT = notes.checkpoint_text("cloud.test/log", 3, bytes(32))


def note() -> str:
    line = notes.signature_line("cloud.test/log", KEYS.sign_checkpoint(TEXT.encode()))
    return f"{TEXT}\n{line}"


def write(folder: Path, content: str, name: str = "file") -> Path:
    path = folder / name
    path.write_text(content)
    return path


@pytest.mark.parametrize("content", ["", "text", "{}", "{", '{"a": 1}', "[]"])
def test_files_of_no_known_kind(tmp_path: Path, content: str) -> None:
    with pytest.raises(CliError, match="neither a log bundle") as caught:
        verify([write(tmp_path, content)], key=None, witnesses=[], as_json=False)
    assert caught.value.code == USAGE


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(CliError, match="No such file"):
        verify([tmp_path / "none"], key=None, witnesses=[], as_json=False)


def test_malformed_keys(tmp_path: Path) -> None:
    path = write(tmp_path, note())
    with pytest.raises(CliError, match=r"--key: .* no verifier key"):
        verify([path], key="x", witnesses=[], as_json=False)
    with pytest.raises(CliError, match="--witness"):
        verify([path], key=None, witnesses=["x"], as_json=False)


def run(capsys: pytest.CaptureFixture[str], *files: Path, **more: object) -> tuple[int, str]:
    given: dict[str, object] = {"key": KEYS.log_verifier(), "witnesses": [], **more}
    code = verify(files, as_json=False, **given)  # type: ignore[arg-type]
    return code, capsys.readouterr().out


def test_a_checkpoint_with_and_without_a_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, note())
    assert run(capsys, path)[0] == 0
    assert run(capsys, path, key=str(write(tmp_path, KEYS.log_verifier() + "\n", "key")))[0] == 0
    code, said = run(capsys, path, key=None)
    assert (code, "with --key" in said) == (3, True)
    assert run(capsys, path, key=MemoryKeys("else").log_verifier())[0] == 1
    assert run(capsys, path, key=KEYS.witness_verifier())[0] == 1, "a witness's key signs no log"


def test_witnesses_that_are_asked_for_must_have_cosigned(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    witness = MemoryKeys("w")
    asked = [witness.witness_verifier()]
    plain = write(tmp_path, note())
    code, said = run(capsys, plain, witnesses=asked)
    assert (code, "no checkpoint is cosigned by w/witness" in said) == (3, True)
    line = notes.signature_line("w/witness", witness.cosign_checkpoint(TEXT.encode()))
    cosigned = write(tmp_path, note() + line, "cosigned")
    code, said = run(capsys, cosigned, witnesses=asked)
    assert (code, "cosigned by the witness w/witness" in said) == (0, True)
    false = notes.signature_line("w/witness", witness.cosign_checkpoint(TEXT.encode() + b"x\n"))
    code, said = run(capsys, write(tmp_path, note() + false, "false"), witnesses=asked)
    assert (code, "forged or altered" in said) == (1, True)
    code, said = run(capsys, cosigned, witnesses=[KEYS.log_verifier()])
    assert "no witness's key" in said
    code, said = run(capsys, plain, cosigned, witnesses=asked)
    assert code == 0, "it is one checkpoint"


def test_one_origin_under_two_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from andromede.sovereignty.log.bundle import Bundle
    from andromede.sovereignty.log.examine import Examination

    found = Examination()
    for at, keys in enumerate((KEYS, MemoryKeys("cloud.test"), Other())):
        line = notes.signature_line("cloud.test/log", keys.sign_checkpoint(TEXT.encode()))
        bundle = Bundle(
            project_id="p", made="", log=keys.log_verifier(), witnesses=[],
            checkpoint=f"{TEXT}\n{line}", leaves=[],
        )  # fmt: skip
        found.bundle(str(at), bundle)
    found.conclude()
    assert any("signed by different keys" in line.text for line in found.lines)


class Other(MemoryKeys):
    """Another key under the same name."""

    def __init__(self) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        from andromede.keys.signer import Signer

        super().__init__()
        key = Ed25519PrivateKey.from_private_bytes(bytes(32))
        self.log = Signer("cloud.test/log", notes.ED25519, key)


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    verify([write(tmp_path, note())], key=None, witnesses=[], as_json=True)
    assert '"verdict": "not shown"' in capsys.readouterr().out
    proof = write(tmp_path, '{"first": 1, "second": 2, "proof": []}')
    assert verify([proof], key=None, witnesses=[], as_json=True) == 3
    assert verify([write(tmp_path, '{"first": 1}')], key=None, witnesses=[], as_json=True) == 1
