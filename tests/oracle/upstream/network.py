"""What the real network service says: the attributes of each of its resources with the extensions that
we list, which of them may be written, what makes their values valid, and which of them are shown."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from unittest import mock
from urllib.parse import urlencode

import webob
import webob.exc
from neutron import extensions
from neutron.api import api_common
from neutron.api.extensions import ExtensionManager
from neutron.api.v2.base import Controller
from neutron.common import config
from neutron.db.migration.models import head
from neutron.extensions import security_groups_default_rules, tagging
from neutron_lib import exceptions
from neutron_lib.api import attributes, converters
from neutron_lib.api.definitions import address_group, l3, subnetpool_prefix_ops
from neutron_lib.db import constants

from tests.oracle.upstream.rule import Check, Rule, Wrong

PREFIX = "/network/v2.0"
ALIASES = "ORACLE_EXTENSIONS"  # of the environment: the extensions that are served, with commas
UNDER = {"policies": "/qos", "rule_types": "/qos"}  # where collections are, other than at the root
SPELLED = {"availability_zones"}  # with their underscores
APART = {"dhcp-networks", "dhcp-agents", "l3-routers", "l3-agents"}  # whose bodies are others'
ACTS = (address_group.ACTION_MAP, l3.ACTION_MAP, subnetpool_prefix_ops.ACTION_MAP)
SINGULAR = {"policies": "policy", "network_ip_availabilities": "network_ip_availability",
            "rbac_policies": "rbac_policy", "quotas": "quota"}  # fmt: skip
PAGING = ("fields", "sort_key", "sort_dir", "limit", "marker", "page_reverse")
REFUSALS = (webob.exc.HTTPException, exceptions.NeutronException)


def rules() -> Iterator[Rule]:
    """The operations on each resource."""
    assert head  # the models, by which resources have the attributes that are everybody's
    config.register_common_config_options()
    manager = ExtensionManager(extensions.__path__[0])
    served = os.environ.get(ALIASES, "").split(",")
    manager.extensions = {
        alias: each for alias, each in manager.extensions.items() if alias in served
    }
    known = attributes.RESOURCES
    manager.extend_resources("2.0", known)
    for collection, described in security_groups_default_rules.RESOURCE_ATTRIBUTE_MAP.items():
        known[collection] = {**known.get(collection, {}), **described}
    known["quotas"] = {**known["quotas"], **_limits(known)}
    for collection, described in known.items():
        parent = described.get("parent") if "parameters" in described else None
        described = described.get("parameters", described)
        attributes.populate_project_info(described)
        base = _base(collection, parent)
        yield from _resource(collection, base, described)
        yield from _acts(collection, base)
        if parent is None and "tags" in described:
            for root in sorted({base, f"/{collection}"}):
                yield from _tags(root)


def _limits(known: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of a quota: the number of each kind of resources that is counted; which these
    are is for those who run the service to say."""
    number = {
        "allow_post": False, "allow_put": True, "is_visible": True, "enforce_policy": True,
        "convert_to": converters.convert_to_int,
        "validate": {"type:range": [-1, constants.DB_INTEGER_MAX_VALUE]},
    }  # fmt: skip
    shown = {"is_visible": True, "enforce_policy": True, "allow_put": False}
    said = {"is_visible": False, "allow_put": True, "convert_to": converters.convert_to_boolean}
    return {
        **{_one(collection): number for collection in known},
        **dict.fromkeys(("project_id", "tenant_id"), shown),
        **dict.fromkeys(("check_limit", "force"), said),
    }


def _one(collection: str) -> str:
    return SINGULAR.get(collection) or collection.removesuffix("s")


def _acts(collection: str, base: str) -> Iterator[Rule]:
    """Those on one resource, which have no attributes."""
    for acts in ACTS:
        for act, method in acts.get(_one(collection), {}).items():
            yield Rule(method=method, template=f"{base}/{{id}}/{act}")


def _tags(root: str) -> Iterator[Rule]:
    above = f"{root}/{{id}}/tags"
    every = Check(part="request", wrong=_refused(tagging.validate_tags))
    for method in ("GET", "PUT", "DELETE"):
        yield Rule(method=method, template=above, checks=[every] if method == "PUT" else [])
        yield Rule(method=method, template=f"{above}/{{tag}}")


def _refused(validate: Callable[[Any], None]) -> Callable[[Any], Iterator[Wrong]]:
    """Judges by what raises."""

    def wrong(document: Any) -> Iterator[Wrong]:
        try:
            validate(document)
        except REFUSALS as error:
            yield "", told(error)

    return wrong


def _base(collection: str, parent: Mapping[str, str] | None) -> str:
    if parent is None:
        name = collection if collection in SPELLED else collection.replace("_", "-")
        return f"{UNDER.get(collection, '')}/{name}"
    above = parent["collection_name"]
    return f"{UNDER.get(above, '')}/{above}/{{{parent['member_name']}_id}}/{collection}"


def _resource(collection: str, base: str, described: Mapping[str, Any]) -> Iterator[Rule]:
    name = _one(collection)
    one = Check(part="response", wrong=_Shown(described, name, many=False), whole=True)
    many = Check(part="response", wrong=_Shown(described, collection, many=True), whole=True)
    new = Check(part="request", wrong=_Written(described, name, create=True))
    changed = Check(part="request", wrong=_Written(described, name, create=False))
    query = Check(part="query", wrong=_Asked(described))
    for method, template, checks in (
        ("GET", base, [many] if name == "quota" else [query, many]),
        ("POST", base, [new, one]), ("GET", f"{base}/{{id}}", [one]),
        ("PUT", f"{base}/{{id}}", [changed, one]), ("DELETE", f"{base}/{{id}}", []),
    ):  # fmt: skip
        judged = [] if collection in APART else checks
        yield Rule(method=method, template=template, checks=judged)


class _Written:
    """Judges a body by what makes the values of a new or changed resource valid."""

    def __init__(self, described: Mapping[str, Any], name: str, *, create: bool) -> None:
        self.described, self.name, self.create = described, name, create

    def __call__(self, document: Any) -> Iterator[Wrong]:
        context = mock.Mock(project_id="p", can_set_project_id=True)
        try:
            Controller.prepare_request_body(
                context, copy.deepcopy(document), self.create, self.name, self.described,
                allow_bulk=True,
            )  # fmt: skip
        except REFUSALS as error:
            yield "", told(error)


class _Asked:
    """Judges the query of a list: its filters, its order and its pages."""

    def __init__(self, described: Mapping[str, Any]) -> None:
        self.described = described

    def __call__(self, query: Any) -> Iterator[Wrong]:
        request = webob.Request.blank(f"/?{urlencode(query, doseq=True)}")
        full = "neutron.api.api_common.is_empty_string_filtering_supported"
        try:
            with mock.patch(full, return_value=True):
                api_common.get_filters_from_dict(
                    query, self.described, PAGING, is_filter_validation_supported=True
                )
            api_common.get_sorts(request, self.described)
            api_common.get_limit_and_marker(request)
        except REFUSALS as error:
            yield "", told(error)


def told(error: Exception) -> str:
    """A refusal, without the line's end."""
    return next(iter(str(error).splitlines()), type(error).__name__)[:120]


class _Shown:
    """Judges the names of what is shown. What policies decide on may be missing."""

    def __init__(self, described: Mapping[str, Any], key: str, *, many: bool) -> None:
        self.described, self.key, self.many = described, key, many
        self.visible = {name for name, each in described.items() if each.get("is_visible")}
        self.due = {name for name in self.visible if not described[name].get("enforce_policy")} | (
            {"id"} & self.visible
        )

    def __call__(self, exchange: Mapping[str, Any]) -> Iterator[Wrong]:
        body = exchange["response"] or {}
        key = self.key if self.key in body or self.many else f"{self.key}s"  # made together
        if key not in body:
            yield "", f"{self.key} is missing"
            return
        shown = body[key]
        for each in shown if isinstance(shown, list) else [shown]:
            yield from ((name, "is no attribute") for name in sorted(each.keys() - self.visible))
            if "fields" not in exchange["query"]:
                yield from ((name, "is not shown") for name in sorted(self.due - each.keys()))
