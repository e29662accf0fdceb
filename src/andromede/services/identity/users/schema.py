"""Bodies of users. Source: the identity API v3."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from andromede.services.identity.bodies import Id, Name255

Password = Annotated[str, Meta(min_length=1)]
Rule = Annotated[list[Name255], Meta(min_length=1)]


class UserOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """The options of users; None takes one back."""

    ignore_change_password_upon_first_use: bool | UnsetType | None = UNSET
    ignore_password_expiry: bool | UnsetType | None = UNSET
    ignore_lockout_failure_attempts: bool | UnsetType | None = UNSET
    ignore_user_inactivity: bool | UnsetType | None = UNSET
    lock_password: bool | UnsetType | None = UNSET
    multi_factor_auth_enabled: bool | UnsetType | None = UNSET
    multi_factor_auth_rules: list[Rule] | UnsetType | None = UNSET

    def __post_init__(self) -> None:
        """Errors: ValueError for rules, or methods of one, that are there twice."""
        rules = self.multi_factor_auth_rules
        if isinstance(rules, UnsetType) or rules is None:
            return
        whole = {frozenset(each) for each in rules}
        if len(whole) < len(rules) or any(len(set(each)) < len(each) for each in rules):
            raise ValueError("multi_factor_auth_rules: each rule and method stands there once")

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


class NewUserBody(Struct, forbid_unknown_fields=True):
    user: NewUser


class UserChange(Struct):
    name: Name255 | UnsetType = UNSET
    domain_id: Id | UnsetType = UNSET
    default_project_id: Id | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET
    password: Password | UnsetType | None = UNSET
    options: UserOptions | UnsetType = UNSET


class UserChangeBody(Struct, forbid_unknown_fields=True):
    user: UserChange


class PasswordChange(Struct, forbid_unknown_fields=True):
    password: Password
    original_password: str


class PasswordChangeBody(Struct):
    user: PasswordChange
