"""A server's row as the engine's document, and the machine made to run."""

from __future__ import annotations

import os

from msgspec import structs

from andromede.db import Connection
from andromede.engine.protocol import DiskSpec, NicSpec, RescueSpec, ServerFacts, ServerSpec
from andromede.services.compute.metadata.render import config_drive_files
from andromede.services.compute.servers import store
from andromede.services.compute.servers.guest import guest
from andromede.services.compute.servers.images import has_agent
from andromede.services.compute.servers.model import Image, Server
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
        vcpus=server.flavor.vcpus,
        memory=server.flavor.ram * MIB,
        disk=_disk(server.image, server.root_disk, server.generation),
        nics=_cards(conn, server),
        config_drive=_drive(conn, server) if server.config_drive else None,
        firmware=properties.get("hw_firmware_type", "bios"),
        disk_bus=properties.get("hw_disk_bus", "virtio"),
        nic_model=properties.get("hw_vif_model", "virtio"),
        rescue=_rescue(server),
        agent=has_agent(server.image),
    )


def _cards(conn: Connection, server: Server) -> tuple[NicSpec, ...]:
    """Its ports' cards, but those that are to leave it."""
    leaving = {nic.port for nic in server.nics if nic.moving == "leaving"}
    return tuple(each for each in network.nic_specs(conn, server.id) if each.port_id not in leaving)


def _disk(image: Image, size: int, generation: int = 0) -> DiskSpec:
    return DiskSpec(
        image_id=image.id, image_format=image.format, size=size * GIB, generation=generation
    )


def _rescue(server: Server) -> RescueSpec | None:
    with_ = server.course.rescue if server.course is not None else None
    if with_ is None:
        return None
    disk = _disk(with_.image, with_.disk)
    return RescueSpec(disk=disk, last=with_.last, device=with_.device, bus=with_.bus)


def _drive(conn: Connection, server: Server) -> dict[str, bytes]:
    facts = guest(conn, server)
    if server.course is not None:
        facts = structs.replace(facts, password=server.course.password)
    return config_drive_files(facts, os.urandom(SEED))
