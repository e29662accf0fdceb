"""The files people log in with: clouds.yaml and openrc, for the operator and for customers."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

import yaml

from andromede.config import Config, Paths


def folder(paths: Paths, name: str) -> Path:
    return paths.clients / name


def write(paths: Paths, config: Config, name: str, listener: str, auth: dict[str, str]) -> Path:
    """Write `clouds.yaml` and `openrc` of one login, readable by their owner alone.

    `auth` holds keys of clouds.yaml's `auth` mapping besides the URL, which is the listener's.
    """
    where = folder(paths, name)
    where.mkdir(mode=0o700, parents=True, exist_ok=True)
    ca = str(paths.tls / "ca.pem")
    base = getattr(config, f"{listener}_url") or f"https://{getattr(config, listener)}"
    full = {"auth_url": f"{base}/identity/v3", **auth}
    cloud: dict[str, Any] = {
        "auth": full,
        "region_name": config.place.region,
        "cacert": ca,
        "identity_api_version": 3,
        "interface": "public",
    }
    if "application_credential_id" in auth:
        cloud["auth_type"] = "v3applicationcredential"
    document = yaml.safe_dump({"clouds": {name: cloud}}, sort_keys=False)
    _write(where / "clouds.yaml", document)
    _write(where / "openrc", _openrc(cloud))
    return where


def read(paths: Paths, name: str) -> dict[str, str] | None:
    """The `auth` mapping of a login that was written before; None when there is none."""
    path = folder(paths, name) / "clouds.yaml"
    if not path.exists():
        return None
    document = yaml.safe_load(path.read_text())
    return dict(document["clouds"][name]["auth"])


def _openrc(cloud: dict[str, Any]) -> str:
    names = {f"OS_{key.upper()}": str(value) for key, value in cloud["auth"].items()}
    names |= {
        "OS_CACERT": cloud["cacert"],
        "OS_REGION_NAME": cloud["region_name"],
        "OS_IDENTITY_API_VERSION": "3",
    }
    if "auth_type" in cloud:
        names["OS_AUTH_TYPE"] = cloud["auth_type"]
    lines = ['for name in ${!OS_*}; do unset "$name"; done']
    lines += [f"export {name}={shlex.quote(value)}" for name, value in names.items()]
    return "\n".join(lines) + "\n"


def _write(path: Path, text: str) -> None:
    draft = path.with_name(path.name + ".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)
