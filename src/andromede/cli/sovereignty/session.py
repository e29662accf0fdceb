"""How the sovereignty commands log in: as OS_CLOUD says, or as the local operator."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from andromede.cli.client import Session, credential, password
from andromede.cli.errors import CliError
from andromede.config import Paths


def open_session(state: Path) -> Session:
    """A logged-in session; the caller closes it.

    Errors: CliError when no login is found, or it is refused.
    """
    cloud = _login(state)
    auth = cloud["auth"]
    session = Session(auth["auth_url"].rstrip("/"), Path(cloud["cacert"]))
    try:
        _log_in(session, auth)
    except BaseException:
        session.close()
        raise
    return session


def _log_in(session: Session, auth: dict[str, str]) -> None:
    if "application_credential_id" in auth:
        held = auth["application_credential_id"], auth["application_credential_secret"]
        session.login(credential(*held))
    else:
        session.login(_identity(auth), _scope(auth))


def _login(state: Path) -> dict[str, Any]:
    """The cloud's entry of clouds.yaml."""
    name = os.environ.get("OS_CLOUD", "operator")
    file = os.environ.get("OS_CLIENT_CONFIG_FILE")
    path = Path(file) if file else Paths(state).clients / name / "clouds.yaml"
    try:
        document = yaml.safe_load(path.read_text())
        found = document["clouds"][name]
        found["auth"]["auth_url"], found["cacert"]
    except (FileNotFoundError, KeyError, TypeError, yaml.YAMLError):
        raise CliError(
            f"no login {name} with auth_url and cacert in {path}; start the cloud with: "
            f"andromede up, or name a login with OS_CLIENT_CONFIG_FILE and OS_CLOUD"
        ) from None
    return dict(found)


def _identity(auth: dict[str, str]) -> dict[str, Any]:
    """A password, and with OS_PASSCODE (or `passcode`) the second factor of an operator."""
    domain = auth.get("user_domain_id", auth.get("user_domain_name", "default").lower())
    identity = password(auth["username"], auth["password"], domain)
    passcode = os.environ.get("OS_PASSCODE") or auth.get("passcode")
    if passcode:
        who = {"name": auth["username"], "domain": {"id": domain}, "passcode": str(passcode)}
        identity = {**identity, "methods": ["password", "totp"], "totp": {"user": who}}
    return identity


def _scope(auth: dict[str, str]) -> dict[str, Any] | None:
    if auth.get("system_scope") == "all":
        return {"system": {"all": True}}
    if "project_id" in auth:
        return {"project": {"id": auth["project_id"]}}
    if "project_name" in auth:
        domain = auth.get("project_domain_id", auth.get("project_domain_name", "default").lower())
        return {"project": {"name": auth["project_name"], "domain": {"id": domain}}}
    return None
