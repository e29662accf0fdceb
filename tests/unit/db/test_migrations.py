"""The migrations make the very tables that the stores declare."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from andromede.db import Database, metadata, migrate
from andromede.roles import assembly
from andromede.sovereignty import generation
from andromede.sovereignty.log import audit, leaves
from andromede.sovereignty.log.sequencer import latest_note, sequence


def test_migrations_and_declared_tables_agree(tmp_path: Path) -> None:
    assembly.packages()
    database = Database(f"sqlite:///{tmp_path / 'fresh.sqlite'}")
    migrate.upgrade(database)
    with database.read() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []
    assert migrate.current(database) == migrate.head()
    database.dispose()


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'newer.sqlite'}")
    migrate.upgrade(database)
    database.transact(
        lambda connection: connection.exec_driver_sql(
            "UPDATE alembic_version SET version_num = '9999'"
        )
    )
    with pytest.raises(RuntimeError, match="9999"):
        migrate.upgrade(database)
    database.dispose()


def test_an_older_log_is_salted_and_numbered_anew(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'old.sqlite'}")
    migrate.upgrade(database, "0001")
    with database.engine.begin() as connection:
        for at in range(3):
            connection.exec_driver_sql(
                "INSERT INTO leaf (id, time, request_id, action, subject, status, detail, "
                f"position, hash) VALUES ('l{at}', {at}, 'r', 'a', 's', 200, '{{}}', {at}, x'00')"
            )
        connection.exec_driver_sql("INSERT INTO checkpoint VALUES (3, x'00', x'00', 1, 'old')")
    migrate.upgrade(database)
    assert sequence(database, "o", lambda _: bytes(68), "o") == 3
    with database.read() as connection:
        newest = latest_note(connection)
        assert newest is not None
        assert newest.startswith("o\n3\n")
        assert len({row["salt"] for row in leaves.page(connection, None, None, 9)}) == 3
        assert audit.audit(connection, running=True) == []
    database.dispose()


def insert(connection: Any, table: str, **values: Any) -> None:
    """A row whose other columns are as empty as they may be."""
    rows = connection.exec_driver_sql(f"PRAGMA table_info({table})").all()
    empty = {"INTEGER": 0, "BLOB": b""}
    needed = {name: empty.get(kind, "") for _, name, kind, needs, *_ in rows if needs}
    row = {**needed, **values}
    marks = ", ".join("?" for _ in row)
    connection.exec_driver_sql(
        f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values())
    )


def test_older_ports_are_where_their_servers_are(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'old.sqlite'}")
    migrate.upgrade(database, "0012")
    with database.engine.begin() as connection:
        insert(connection, "server", id="s1", site="paris")
        for number, (device, owner) in enumerate(
            (("s1", "compute:nova"), ("gone", "compute:nova"), ("", ""), ("s1", "network:dhcp"))
        ):
            insert(connection, "port", id=f"p{number}", number=number, mac_address=f"{number}",
                   device_id=device, device_owner=owner)  # fmt: skip
    migrate.upgrade(database)
    with database.read() as connection:
        found = connection.exec_driver_sql("SELECT id, site FROM port ORDER BY id").all()
    assert [tuple(row) for row in found] == [("p0", "paris"), ("p1", None), ("p2", None),
                                             ("p3", None)]  # fmt: skip
    database.dispose()


def test_older_projects_are_customers_by_the_roles_on_them(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'old.sqlite'}")
    migrate.upgrade(database, "0013")
    with database.engine.begin() as connection:
        for domain in ("d", "heirs"):
            insert(connection, "project", id=domain, name=domain, is_domain=1)
        for key, domain in (("ops", "d"), ("web", "d"), ("empty", "d"), ("up", "heirs"),
                            ("down", "heirs")):  # fmt: skip
            insert(connection, "project", id=key, name=key, domain_id=domain)
        for name in ("admin", "member"):
            insert(connection, "role", id=name, name=name)
        for user, kind, target, role, inherited in (
            ("u1", "project", "ops", "admin", 0), ("u1", "project", "web", "admin", 0),
            ("u2", "project", "web", "member", 0), ("u2", "project", "up", "member", 1),
            ("u2", "domain", "d", "member", 0),
        ):  # fmt: skip
            insert(connection, "role_grant", actor_kind="user", actor_id=user, target_kind=kind,
                   target_id=target, role_id=role, inherited=inherited)  # fmt: skip
    migrate.upgrade(database)
    with database.read() as connection:
        found = connection.exec_driver_sql("SELECT project_id FROM customer ORDER BY 1").scalars()
        assert list(found) == ["down", "up", "web"]
    database.dispose()


def test_open_findings_are_told_anew_in_french(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'old.sqlite'}")
    migrate.upgrade(database, "0014")
    with database.engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO sovereignty_generation VALUES (1, 'before')")
        connection.exec_driver_sql(
            "INSERT INTO finding (id, rule, set_at, kind, resource, project_id, site, opened_at, "
            "reason) VALUES ('f', 'allowed_countries', 'cloud', 'image', 'i', 'p', 's', 1, 'is in US')"
        )
    migrate.upgrade(database)
    with database.read() as connection:
        assert generation.read(connection) != "before"
        (row,) = connection.exec_driver_sql("SELECT reason, reason_fr FROM finding").all()
    assert tuple(row) == ("is in US", "")
    database.dispose()


def test_what_older_networks_share_is_told_by_policies(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'old.sqlite'}")
    migrate.upgrade(database, "0015")
    with database.engine.begin() as connection:
        for at, (shared, external) in enumerate(((1, 0), (0, 1), (0, 0))):
            connection.exec_driver_sql(
                "INSERT INTO network (id, project_id, name, revision_number, created_at, "
                "updated_at, number, status, admin_state_up, shared, external, mtu, is_default, "
                "port_security_enabled, dns_domain, zone_hints, dhcp_mac) VALUES "
                f"('n{at}', 'p', 'n', 0, 0, 0, {at}, 'ACTIVE', 1, {shared}, {external}, 1500, 0, "
                "1, '', '[]', 'm')"
            )
    migrate.upgrade(database)
    with database.read() as connection:
        told = connection.exec_driver_sql(
            "SELECT object_id, action, target_tenant, project_id FROM network_rbac_policy"
        )
        assert sorted(tuple(row) for row in told) == [
            ("n0", "access_as_shared", "*", "p"), ("n1", "access_as_external", "*", "p"),
        ]  # fmt: skip
        open_ = connection.exec_driver_sql("SELECT id FROM network WHERE external_to_all = 1")
        assert [row[0] for row in open_] == ["n1"]
    database.dispose()
