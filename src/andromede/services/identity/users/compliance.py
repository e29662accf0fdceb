"""What the cloud's settings ask of users and their passwords, and the options that exempt a user.

Source: the settings and user options of the identity service's "security compliance".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Any

from andromede import clock
from andromede.config import Compliance
from andromede.db import Database
from andromede.http.errors import BadRequest
from andromede.services.identity import passwords
from andromede.services.identity.rows import Row
from andromede.services.identity.users import store

DAY = 24 * 3600 * clock.SECOND


def exempt(row: Row, option: str) -> bool:
    return row.options.get(option) is True


def enabled(row: Row, rules: Compliance) -> bool:
    """Whether a user is enabled, and was here within the days that the cloud asks for."""
    days, last = rules.disable_user_account_days_inactive, row.last_active_at or row.created_at
    if not row.enabled or not days or last is None or exempt(row, "ignore_user_inactivity"):
        return bool(row.enabled)
    return bool(clock.now() // DAY - last // DAY < days)


def expired(row: Row) -> bool:
    """Whether a user's password is too old to log in with."""
    expires = row.password_expires_at
    return (
        expires is not None and expires <= clock.now() and not exempt(row, "ignore_password_expiry")
    )


def fresh(rules: Compliance, options: dict[str, Any], *, by_user: bool) -> dict[str, Any]:
    """The columns of a password that is set now, by its user or by somebody else."""
    now, expires = clock.now(), None
    if rules.password_expires_days and not options.get("ignore_password_expiry"):
        whole = now + rules.password_expires_days * DAY
        expires = whole - whole % clock.SECOND
    first = options.get("ignore_change_password_upon_first_use")
    if rules.change_password_upon_first_use and not by_user and not first:
        expires = now
    return {
        "password_created_at": now,
        "password_self_service": by_user,
        "password_expires_at": expires,
    }


def check_text(rules: Compliance, password: str) -> None:
    """Errors: BadRequest for a password that is not of the form that the cloud asks for."""
    if rules.password_regex and not re.match(rules.password_regex, password):
        told = rules.password_regex_description or f"it matches {rules.password_regex}"
        raise BadRequest(
            f"Password validation error: The password does not match the requirements: {told}."
        )


def check_own_change(rules: Compliance, row: Row, given: str, wish: str, former: Sequence[str]
) -> None:  # fmt: skip
    """Errors: BadRequest when a user may not change its password from `given` to `wish` now;
    `former` are the hashes of those it had before."""
    if row.options.get("lock_password"):
        raise BadRequest(
            "Password validation error: You cannot change your password at this time due to "
            "password policy disallowing password changes. An administrator can reset it."
        )
    check_text(rules, wish)
    again = (row.password_created_at or 0) + rules.minimum_password_age * DAY
    if row.password_self_service and clock.now() < again:
        raise BadRequest(
            "Password validation error: You cannot change your password at this time due to the "
            "minimum password age. Once you change your password, it must be used for "
            f"{rules.minimum_password_age} day(s) before it can be changed. Please try again in "
            f"{(again - clock.now()) // DAY} day(s)."
        )
    if not rules.unique_last_password_count:
        return
    if given == wish or any(passwords.matches(each, wish) for each in former):
        raise BadRequest(
            "Password validation error: The new password cannot be identical to a previous "
            "password. The total number which includes the new password must be unique is "
            f"{rules.unique_last_password_count}."
        )


def begin_attempt(database: Database, row: Row, rules: Compliance) -> bool:
    """Count a try of a password before it is looked at, so that no number of clients at once has
    more tries than one after another; False when the user is locked."""
    if not rules.lockout_failure_attempts or exempt(row, "ignore_lockout_failure_attempts"):
        return True
    return database.transact(
        partial(
            store.begin_attempt, user_id=row.id, most=rules.lockout_failure_attempts,
            pause=rules.lockout_duration,
        )
    )  # fmt: skip


def succeeded(database: Database, row: Row, rules: Compliance, *, by_password: bool) -> None:
    """Forget the wrong passwords before a login by the right one, and note the day of any; what is
    not asked for is not written."""
    values: dict[str, int] = {}
    if rules.lockout_failure_attempts and by_password:
        values["failed_count"] = 0
    today = clock.now() - clock.now() % DAY
    if rules.disable_user_account_days_inactive and row.last_active_at != today:
        values["last_active_at"] = today
    if values:
        database.transact(partial(store.note, user_id=row.id, values=values))
