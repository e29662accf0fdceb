"""Every write that is accepted is one leaf of the log, which names what it concerned, and whose it was
where it is a project's: an operator without a project writes, whose own project can stand for none."""

from __future__ import annotations

import re
from pathlib import Path

import sqlalchemy as sa

from andromede.http.microversion import text
from andromede.http.operation import MUTATING
from andromede.sovereignty.log.leaves import leaf
from tests.contract import authz
from tests.contract.whole import examples
from tests.contract.whole.world import rows, whole
from tests.rehearsal import rehearsed

WHO = "sysadm"
AT = authz.COLUMNS.index(WHO)
UNLOGGED = {"identity:token:issue", "compute:server:console-output"}  # by rows of their own
# What is no project's: users, roles and domains, what is offered to all, hosts, affiliations.
NOBODYS = re.compile(
    r"identity:|compute:(flavor|aggregate|service|host|keypair)|sovereignty:affiliation"
    r"|network:default_security_group_rule"
)


def test_every_write_names_what_it_concerned(tmp_path: Path) -> None:
    wrong, tried = [], 0
    with whole(tmp_path) as made:
        for (codes, _), (service, row) in zip(authz.cells(), rows(), strict=True):
            accepted = row.method in MUTATING and codes[AT].startswith("2")
            if not accepted or row.action in UNLOGGED:
                continue
            version = f"{service.type} {text(row.until) if row.until else 'latest'}"
            headers = {"OpenStack-API-Version": version, **examples.headers(made, row)}
            path = made.path(service, row) + examples.query(made, row)
            with rehearsed(made.cloud.database) as connection:
                before = connection.execute(sa.select(sa.func.count()).select_from(leaf)).scalar()
                answer = made.client(WHO, private=True).call(
                    row.method, path, examples.body(made, row), headers=headers,
                    raw=b"data" if row.stream else None,
                )  # fmt: skip
                newest = sa.select(leaf).order_by(leaf.c.arrival.desc())
                told = connection.execute(newest.offset(0).limit(1)).one()
                after = connection.execute(sa.select(sa.func.count()).select_from(leaf)).scalar()
            assert answer.status < 300, (row.action, answer.body)
            tried += 1
            whose = told.project_id or NOBODYS.match(row.action)
            if after != before + 1 or told.action != row.action or not told.subject or not whose:
                wrong.append(f"{row.method} {path}: {after - before} leaves, {told.action} of "
                             f"{told.subject!r}, project {told.project_id}")  # fmt: skip
    assert not wrong, "\n".join(wrong)
    assert tried > 150
