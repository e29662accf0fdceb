"""What requests on quotas say: new limits, as numbers or strings of them, -1 for none."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType

from andromede.services.compute import values
from andromede.services.compute.limits.store import DEFAULTS, FORMER

Limit = int | str | UnsetType


class Quotas(Struct, forbid_unknown_fields=True, kw_only=True):
    """The limits to set; an absent one stays."""

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
        names = (name for name in (*DEFAULTS, *FORMER) if name in self.__struct_fields__)
        given = {name: getattr(self, name) for name in names}
        return {
            name: values.whole(value, name, -1)
            for name, value in given.items()
            if value is not UNSET
        }


class FileQuotas(Quotas, forbid_unknown_fields=True, kw_only=True):
    """As until 2.56."""

    injected_files: Limit = UNSET
    injected_file_content_bytes: Limit = UNSET
    injected_file_path_bytes: Limit = UNSET


class NetworkQuotas(FileQuotas, forbid_unknown_fields=True, kw_only=True):
    """As until 2.35, and until 2.49 for classes."""

    fixed_ips: Limit = UNSET
    floating_ips: Limit = UNSET
    security_group_rules: Limit = UNSET
    security_groups: Limit = UNSET


class ProjectQuotas(Quotas, forbid_unknown_fields=True, kw_only=True):
    """`force`, as in those below, sets limits below what is used."""

    force: bool | str = False


class ProjectFileQuotas(FileQuotas, forbid_unknown_fields=True, kw_only=True):
    force: bool | str = False


class ProjectNetworkQuotas(NetworkQuotas, forbid_unknown_fields=True, kw_only=True):
    force: bool | str = False


class QuotaSetBody(Struct, forbid_unknown_fields=True):
    quota_set: ProjectQuotas


class FileQuotaSetBody(Struct, forbid_unknown_fields=True):
    quota_set: ProjectFileQuotas


class NetworkQuotaSetBody(Struct, forbid_unknown_fields=True):
    quota_set: ProjectNetworkQuotas


class QuotaClassSetBody(Struct, forbid_unknown_fields=True):
    quota_class_set: Quotas


class FileQuotaClassSetBody(Struct, forbid_unknown_fields=True):
    quota_class_set: FileQuotas


class NetworkQuotaClassSetBody(Struct, forbid_unknown_fields=True):
    quota_class_set: NetworkQuotas
