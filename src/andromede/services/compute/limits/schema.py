"""What requests on quotas say: new limits, as numbers or strings of them, -1 for none."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType

from andromede.services.compute import values
from andromede.services.compute.limits.store import DEFAULTS

Limit = int | str | UnsetType | None


class Quotas(Struct, forbid_unknown_fields=True, kw_only=True):
    """The limits to set; an absent one, or null, stays."""

    instances: Limit = UNSET
    cores: Limit = UNSET
    ram: Limit = UNSET
    metadata_items: Limit = UNSET
    key_pairs: Limit = UNSET
    server_groups: Limit = UNSET
    server_group_members: Limit = UNSET

    def wanted(self) -> dict[str, int]:
        """The limits to set, as numbers.

        Errors: BadRequest naming the faulty one.
        """
        given = {name: getattr(self, name) for name in DEFAULTS}
        return {
            name: values.whole(value, name, -1)
            for name, value in given.items()
            if value is not UNSET and value is not None
        }


class ProjectQuotas(Quotas, forbid_unknown_fields=True, kw_only=True):
    """`force` sets limits below what is used."""

    force: bool | str = False


class QuotaSetBody(Struct, forbid_unknown_fields=True):
    quota_set: ProjectQuotas


class QuotaClassSetBody(Struct, forbid_unknown_fields=True):
    quota_class_set: Quotas
