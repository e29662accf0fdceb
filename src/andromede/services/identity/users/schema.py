"""Bodies of users. Source: the identity API v3."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from andromede.services.identity.bodies import Id, Name255

Password = Annotated[str, Meta(min_length=1)]


class UserOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """The options of users that are served; None takes one back.

    Passwords here never expire by policy nor lock by failures, so the options that exempt a user
    from that are kept and change nothing.
    """

    ignore_change_password_upon_first_use: bool | UnsetType | None = UNSET
    ignore_password_expiry: bool | UnsetType | None = UNSET
    ignore_lockout_failure_attempts: bool | UnsetType | None = UNSET
    ignore_user_inactivity: bool | UnsetType | None = UNSET
    lock_password: bool | UnsetType | None = UNSET

    def merged(self, former: dict[str, Any]) -> dict[str, Any]:
        """The options after this change."""
        sent = {name: getattr(self, name) for name in self.__struct_fields__}
        both = {**former, **{name: value for name, value in sent.items() if value is not UNSET}}
        return {name: value for name, value in both.items() if value is not None}


class NewUser(Struct):
    name: Name255
    domain_id: Id | None = None
    default_project_id: Id | None = None
    enabled: bool = True
    password: Password | None = None
    options: UserOptions = UserOptions()


class NewUserBody(Struct):
    user: NewUser


class UserChange(Struct):
    name: Name255 | UnsetType = UNSET
    domain_id: Id | UnsetType = UNSET
    default_project_id: Id | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET
    password: Password | UnsetType | None = UNSET
    options: UserOptions | UnsetType = UNSET


class UserChangeBody(Struct):
    user: UserChange


class PasswordChange(Struct):
    password: Password
    original_password: str


class PasswordChangeBody(Struct):
    user: PasswordChange
