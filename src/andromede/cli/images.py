"""`image build` and `image offer`: the guest images that are made here, from Debian packages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from rich.console import Console

from andromede import logins
from andromede.cli import control
from andromede.cli.client import Session, credential
from andromede.cli.errors import USAGE, CliError
from andromede.config import Paths

console = Console(stderr=True, highlight=False)
KNOWN = ("debian", "tiny", "tiny-test")
OFFERED = ("debian", "tiny")  # of tiny-test everybody knows the password


def path(name: str, folder: Path) -> Path:
    """Where an image lies once it is built."""
    return folder / f"{name}.qcow2"


def built(name: str, folder: Path) -> bool:
    """Whether an image lies there that this version of its builder made."""
    from andromede.guest.provenance import KINDS

    file = path(name, folder)
    try:
        beside = json.loads(file.with_suffix(".provenance.json").read_text())
    except (FileNotFoundError, ValueError):
        return False
    return file.exists() and beside.get("builder_version") == KINDS[name].version


def _require(doing: str, name: str, accepted: Sequence[str]) -> None:
    if name not in accepted:
        raise CliError(f"image {doing} {name}: one of {', '.join(accepted)} is accepted", USAGE)


def build(name: str, state: Path, out: Path | None) -> None:
    """Build an image and say where it is and what it holds."""
    _require("build", name, KNOWN)
    from andromede.guest.builders import BUILDERS

    folder = out or Paths(state).guests
    built = BUILDERS[name](folder, cache_dir=Paths(state).cache, progress=console.print)
    console.print(f"{built.qcow2}  {built.size / 1e6:.1f} MB  sha256 {built.sha256}")
    console.print(f"provenance: {built.provenance}")


def build_quietly(name: str, state: Path) -> None:
    """Build an image below the state folder, without a word."""
    from andromede.guest.builders import BUILDERS

    BUILDERS[name](Paths(state).guests, cache_dir=Paths(state).cache, progress=lambda _: None)


def offer(name: str, state: Path) -> None:
    """Offer an image that was built to every customer of the cloud that runs.

    Errors: CliError when it was not built, or the cloud does not run.
    """
    _require("offer", name, OFFERED)
    config, paths = control.load(state), Paths(state)
    control.require_root(config, "image offer")
    file = path(name, paths.guests)
    if not file.exists():
        raise CliError(f"{file} is not there; build it with: andromede image build {name}")
    if control.running(state) is None:
        raise CliError("the cloud does not run; start it with: andromede up")
    with closing(operator_session(paths)) as operator:
        found = publish(operator, file)
    console.print(f"{found['name']}: image {found['id']}, public")


def operator_session(paths: Paths) -> Session:
    """A session of the local operator, on the private listener. Errors: CliError."""
    held = logins.read(paths, "operator")
    if held is None:
        raise CliError(f"the operator's login is missing below {paths.clients}; run: andromede up")
    operator = Session(held["auth_url"], paths.tls / "ca.pem")
    operator.login(
        credential(held["application_credential_id"], held["application_credential_secret"])
    )
    return operator


def publish(operator: Session, file: Path) -> dict[str, Any]:
    """The public image of a built file, registered and filled if there is none by its name."""
    body = _registered(file)
    found: dict[str, Any] | None = operator.find("image", "/v2/images", "images", body["name"])
    if found is not None and found["status"] == "active":
        return found
    if found is None:
        found = dict(operator.call("image", "POST", "/v2/images", body))
    with file.open("rb") as content:
        path = f"/v2/images/{found['id']}/file"
        operator.upload("image", path, content, file.stat().st_size)
    return found


def _registered(file: Path) -> dict[str, Any]:
    """What an image that was built here is registered with: its provenance beside it has the day."""
    from andromede.guest.provenance import KINDS, properties

    kind = KINDS[file.stem]
    beside = file.with_suffix(".provenance.json")
    try:
        provenance = json.loads(beside.read_text())
    except (FileNotFoundError, ValueError) as error:
        raise CliError(
            f"{beside}: {error}; build the image anew with: andromede image build {file.stem}"
        ) from error
    version = provenance.get("builder_version")
    if version != kind.version:
        raise CliError(
            f"{file} was built by version {version} of its builder, which is {kind.version} now; "
            f"build the image anew with: andromede image build {file.stem}"
        )
    return {
        "name": kind.title,
        "disk_format": "qcow2",
        "container_format": "bare",
        "visibility": "public",
        **properties(kind, provenance["source_date_epoch"]),
    }
