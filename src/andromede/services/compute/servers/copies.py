"""The images that servers' disks are copied to: their names, owners and properties.

Source: the properties are those that the compute API gives snapshots, by which clients find them.
"""

from __future__ import annotations

from andromede.http.context import Context
from andromede.services.compute.servers.model import Server
from andromede.services.image import api

SECONDS = 24 * 3600.0  # a large disk is copied


def reserve(context: Context, server: Server, name: str, kind: str, more: dict[str, str]) -> str:
    """An image of the server's own project for its disk; its id. `kind`: snapshot or backup.

    Errors: OverLimit; TooLarge for too many properties; Refused where its data may not be.
    """
    context.admit(server.project_id, server.site)
    properties = {
        **server.image.properties,
        "image_type": kind,
        "image_location": "snapshot",
        "image_state": "available",
        "instance_uuid": server.id,
        "base_image_ref": server.image_id,
        "user_id": server.user_id,
        "owner_id": server.project_id,
        **more,
    }
    return api.reserve(
        context.conn, context.cloud, server.project_id,
        name=name, properties=properties, min_disk=server.root_disk, min_ram=0,
    )  # fmt: skip
