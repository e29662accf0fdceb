"""A server's row as the engine's document, and the machine made to run."""

from __future__ import annotations

import os

from andromede.db import Connection
from andromede.engine.protocol import DiskSpec, ServerFacts, ServerSpec
from andromede.services.compute.metadata.render import config_drive_files
from andromede.services.compute.servers import store
from andromede.services.compute.servers.guest import guest
from andromede.services.compute.servers.model import Server
from andromede.services.network import api as network
from andromede.work import Step
from andromede.work.lifecycle import PermanentError

MIB = 1 << 20
SEED = 512  # random bytes for the guest's own generator, fresh for each start
GIB = 1 << 30


def read(step: Step) -> Server:
    """The row a step works for.

    Errors: PermanentError when it is gone, which no accepted work leads to.
    """
    with step.database.read_often() as conn:
        server = store.get(conn, step.id)
    if server is None:
        raise PermanentError(f"server {step.id} has no row any more")
    return server


def run(step: Step, server: Server) -> ServerFacts:
    """Have the network's side ready and the machine running.

    Errors: EngineError.
    """
    network.realise(step, [card.port for card in server.nics])
    with step.database.read_often() as conn:
        document = spec(conn, server)
    facts: ServerFacts = step.world.engine.ensure_server(document)
    return facts


def spec(conn: Connection, server: Server) -> ServerSpec:
    """The document of a server's machine."""
    properties = server.image.properties
    return ServerSpec(
        id=server.id,
        number=server.number,
        project_id=server.project_id,
        name=server.name,
        vcpus=server.vcpus,
        memory=server.memory * MIB,
        disk=DiskSpec(
            image_id=server.image.id, image_format=server.image.format, size=server.disk * GIB
        ),
        nics=network.nic_specs(conn, server.id),
        config_drive=_drive(conn, server) if server.config_drive else None,
        firmware=properties.get("hw_firmware_type", "bios"),
        disk_bus=properties.get("hw_disk_bus", "virtio"),
        nic_model=properties.get("hw_vif_model", "virtio"),
    )


def _drive(conn: Connection, server: Server) -> dict[str, bytes]:
    return config_drive_files(guest(conn, server), os.urandom(SEED))
