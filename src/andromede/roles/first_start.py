"""What a cloud has before its first request: accounts, flavors, the external network, and the local
operator's login file."""

from __future__ import annotations

import secrets

import structlog

from andromede import clock, logins
from andromede.cloud import Cloud
from andromede.config import Config, Paths
from andromede.db import Connection, Database
from andromede.roles import asked
from andromede.services.compute import api as compute
from andromede.services.identity import api as identity
from andromede.services.network import api as network
from andromede.sovereignty.world.change import seed

log = structlog.get_logger("prepare")
LIFETIME = 7 * 24 * 3600  # seconds the operator's login lives; a start and the worker renew it
RENEW_BELOW = LIFETIME // 2


def first_rows(cloud: Cloud) -> None:
    """Make what is missing; what is there stays as it is."""
    config = cloud.config
    with cloud.database.read() as connection:
        fresh = identity.user_named(connection, "admin") is None
    password = identity.hash_password(secrets.token_urlsafe(32)) if fresh else ""

    wishes = asked.read(cloud.paths)

    def make(connection: Connection) -> identity.Bootstrapped:
        made = identity.bootstrap(connection, admin_password_hash=password)
        compute.bootstrap(connection)
        network.bootstrap(connection, config, made.project_id)
        seed(connection, config.place)
        asked.apply(connection, wishes, config.place)
        return made

    made = cloud.database.transact(make)
    asked.forget(cloud.paths)
    renew_operator(cloud.database, config, cloud.paths, made)


def renew_operator(
    database: Database, config: Config, paths: Paths, made: identity.Bootstrapped
) -> None:
    """Have a login file for the local operator whose credential lives for some days more."""
    held = logins.read(paths, "operator")
    if held is not None and _lasts(database, held):
        _write(config, paths, held)
        return
    secret = secrets.token_urlsafe(48)
    digest = identity.hash_password(secret)
    credential = database.transact(
        lambda connection: identity.operator_credential(
            connection,
            user_id=made.user_id,
            project_id=made.project_id,
            secret=secret,
            secret_hash=digest,
            lifetime=LIFETIME,
        )
    )
    _write(
        config,
        paths,
        {
            "application_credential_id": credential.id,
            "application_credential_secret": secret,
        },
    )
    log.info("operator's login renewed", expires=clock.iso(credential.expires_at))


def keep_operator(cloud: Cloud) -> None:
    """Renew the operator's login before it ends, in a cloud that runs for longer than it lives."""
    held = logins.read(cloud.paths, "operator")
    if held is None or not _lasts(cloud.database, held):
        first_rows(cloud)


def _lasts(database: Database, held: dict[str, str]) -> bool:
    """Whether a login's credential is there and lives for some days more."""
    with database.read() as connection:
        until = identity.credential_expiry(connection, held["application_credential_id"])
    return until is not None and until - clock.now() > RENEW_BELOW * clock.SECOND


def _write(config: Config, paths: Paths, auth: dict[str, str]) -> None:
    """The file is written at each start: the listener's address may have changed."""
    rest = {key: value for key, value in auth.items() if key != "auth_url"}
    logins.write(paths, config, "operator", "private", rest)
