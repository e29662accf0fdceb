"""What image has besides images, one of each, for `stock`; and the bodies that its rows accept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.contract.image.helpers import active, importing
from tests.contract.whole.world import Whole
from tests.harness import Client

IMAGE = "/image/v2"
TYPE = "OS::Nova::Server"
PROPERTY = {"title": "t", "type": "string"}


def fill(whole: Whole, member: Client, admin: Client) -> None:
    """An image that another project is offered, a task, and a namespace of definitions."""
    ids = whole.ids
    offered = active(member)["id"]
    members = f"{IMAGE}/images/{offered}/members"
    assert member.post(members, {"member": ids["shop"]}).status == 200
    for act in ("show", "update", "delete"):
        ids[f"image:member:{act}/images"] = offered
    imported = importing(member)["id"]
    whole.cloud.settle()
    tasks = member.get(f"{IMAGE}/images/{imported}/tasks").expect(200)["tasks"]
    admin.post(f"{IMAGE}/metadefs/namespaces", {
        "namespace": "ns", "owner": ids["web"], "tags": [{"name": "red"}],
        "objects": [{"name": "o"}], "properties": {"p": PROPERTY},
        "resource_type_associations": [{"name": TYPE}],
    }).expect(201)  # fmt: skip
    ids.update({
        "image/members": ids["shop"], "image/tasks": tasks[0]["id"], "image/namespaces": "ns",
        "image/objects": "o", "image/properties": "p", "image/resource_types": TYPE,
        "image:metadef-tag:create-one/tags": "blue", "image/stores": "local",
        "image/{store}": ids["image/images"],
    })  # fmt: skip


def bodies(ids: Mapping[str, str]) -> dict[str, Any]:
    """By action."""
    return {
        "image:member:create": {"member": ids["shop"]},
        "image:member:update": {"status": "accepted"},
        "image:metadef-namespace:create": {"namespace": "new"},
        "image:metadef-namespace:update": {"namespace": "ns"},
        "image:metadef-object:create": {"name": "new"},
        "image:metadef-object:update": {"name": "o"},
        "image:metadef-property:create": {"name": "new", **PROPERTY},
        "image:metadef-property:update": {"name": "p", **PROPERTY},
        "image:metadef-tag:create": {"tags": [{"name": "blue"}]},
        "image:metadef-tag:update": {"name": "red"},
        "image:metadef-type:associate": {"name": "OS::Glance::Image"},
    }
