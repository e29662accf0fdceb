"""Servers' disks: what they stand on, what fills up, what is put aside."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from andromede import clock
from andromede.engine.embedded.machine import console, disks, drive
from andromede.engine.protocol import DiskSpec, EngineError, Power
from tests.host.machine_world import (
    CHATTY,
    FILL_DISK,
    IDLE,
    MEBIBYTE,
    World,
    small_file_system,
    until,
)

pytestmark = pytest.mark.host


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    try:
        yield made
    finally:
        clock.set_source(None)
        made.end()


def test_a_server_outlives_its_image(world: World) -> None:
    spec = world.spec()
    image_id = spec.disk.image_id
    assert image_id is not None
    world.machines.ensure_server(spec)
    world.machines.stop_server(spec.id)
    world.machines.remove_image(image_id)
    (world.paths.images / image_id).unlink()
    world.machines.ensure_server(spec)
    world.says(spec.id, b"READY")
    assert len(list(world.paths.bases.iterdir())) == 2  # the base, and that it is to go

    world.machines.remove_server(spec.id)
    assert list(world.paths.bases.iterdir()) == []


def test_an_unused_base_goes_with_its_image(world: World) -> None:
    spec = world.spec()
    world.machines.ensure_server(spec)
    world.machines.remove_server(spec.id)
    assert len(list(world.paths.bases.iterdir())) == 1
    world.machines.remove_image(str(spec.disk.image_id))
    world.machines.remove_image(str(spec.disk.image_id))
    assert list(world.paths.bases.iterdir()) == []


def test_a_base_is_roots_and_read_only(world: World) -> None:
    spec = world.spec()
    image = world.paths.images / str(spec.disk.image_id)
    os.chown(image, world.config.uid_base + 1, world.config.uid_base + 1)
    world.machines.ensure_server(spec)
    facts = image.stat()
    assert (facts.st_uid, facts.st_mode & 0o777, facts.st_nlink) == (0, 0o444, 2)


def test_an_image_that_is_someone_elses_file_is_refused(world: World) -> None:
    spec = world.spec()
    image = world.paths.images / str(spec.disk.image_id)
    os.chown(image, 12_345, 12_345)
    with pytest.raises(EngineError, match="is not a file of user") as told:
        world.machines.ensure_server(spec)
    assert told.value.permanent


def test_an_image_that_is_a_link_is_not_followed(world: World, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(MEBIBYTE))
    spec = world.spec()
    image = world.paths.images / str(spec.disk.image_id)
    image.unlink()
    image.symlink_to(secret)
    with pytest.raises(EngineError, match="reading the data of image") as told:
        world.machines.ensure_server(spec)
    assert told.value.permanent


def test_an_image_larger_than_the_disk_is_refused_with_both_sizes(world: World) -> None:
    image_id = world.image(IDLE, size=3 * MEBIBYTE)
    disk = DiskSpec(image_id=image_id, image_format="raw", size=2 * MEBIBYTE)
    with pytest.raises(EngineError, match=rf"{2 * MEBIBYTE}.*{3 * MEBIBYTE}") as told:
        world.machines.ensure_server(world.spec(disk=disk))
    assert told.value.permanent


def test_content_that_is_not_what_it_declares_is_never_booted(world: World) -> None:
    image_id = world.image(IDLE)
    disk = DiskSpec(image_id=image_id, image_format="qcow2", size=64 * MEBIBYTE)
    with pytest.raises(EngineError, match="declared as qcow2, but the content is raw") as told:
        world.machines.ensure_server(world.spec(disk=disk))
    assert told.value.permanent


def test_a_qcow2_image_boots(world: World, tmp_path: Path) -> None:
    raw = world.paths.images / world.image(IDLE)
    image = world.paths.images / "image-of-qcow2"
    command = ["qemu-img", "convert", "-f", "raw", "-O", "qcow2", str(raw), str(image)]
    subprocess.run(command, check=True)
    disk = DiskSpec(image_id=image.name, image_format="qcow2", size=64 * MEBIBYTE)
    spec = world.spec(disk=disk)
    world.machines.ensure_server(spec)
    world.says(spec.id, b"READY")
    made = world.paths.servers / spec.id / disks.DISK
    assert disks.formats.detect(os.open(made, os.O_RDONLY)) == "qcow2"


def test_a_config_drive_holds_its_files_under_its_label(world: World) -> None:
    files = {"openstack/latest/meta_data.json": b'{"uuid": "1"}', "ec2/latest/user-data": b"\0x"}
    spec = world.spec(config_drive=files)
    world.machines.ensure_server(spec)
    made = world.paths.servers / spec.id / drive.DRIVE
    content = made.read_bytes()
    assert content[0x8001:0x8006] == b"CD001"
    assert content[0x8028:0x8048].rstrip() == b"config-2"
    for name, expected in files.items():
        read = ["isoinfo", "-R", "-i", str(made), "-x", f"/{name}"]
        assert subprocess.run(read, check=True, capture_output=True).stdout == expected


@pytest.mark.parametrize("name", ["../x", "/etc/x", "", "a/../../x"])
def test_a_config_drive_refuses_names_that_leave_it(world: World, name: str) -> None:
    with pytest.raises(EngineError, match="names are relative") as told:
        world.machines.ensure_server(world.spec(config_drive={name: b""}))
    assert told.value.permanent


def test_a_guest_that_finds_no_space_is_paused_and_goes_on_when_there_is(
    tmp_path: Path,
) -> None:
    with small_file_system(tmp_path / "small", 16 * MEBIBYTE) as state:
        world = World(state)
        ballast = state / "ballast"
        try:
            spec = world.spec(FILL_DISK)
            ballast.write_bytes(bytes(8 * MEBIBYTE))
            world.machines.wait_events(0)
            world.machines.ensure_server(spec)
            assert world.machines.wait_events(60) == {spec.id}
            facts = world.machines.observe_server(spec.id)
            assert facts.power is Power.PAUSED
            assert "space" in str(facts.reason)

            ballast.unlink()
            assert world.machines.ensure_server(spec).power is Power.ON
        finally:
            world.end()


def test_a_start_without_space_says_so_and_leaves_no_half_disk(tmp_path: Path) -> None:
    with small_file_system(tmp_path / "small", 4 * MEBIBYTE) as state:
        world = World(state)
        spec = world.spec()
        ballast = state / "ballast"
        try:
            with pytest.raises(OSError, match="No space"):
                ballast.write_bytes(bytes(8 * MEBIBYTE))
            with pytest.raises(EngineError, match=r"(?i)no space left") as told:
                world.machines.ensure_server(spec)
            assert not told.value.permanent
            assert not (world.paths.servers / spec.id / disks.DISK).exists()
            ballast.unlink()
            assert world.machines.ensure_server(spec).power is Power.ON
        finally:
            world.end()


def test_an_unowned_disk_waits_seven_days(world: World) -> None:
    spec = world.spec()
    world.machines.ensure_server(spec)
    world.machines.remove_image(str(spec.disk.image_id))
    world.machines.quarantine_disk(spec.id)
    world.machines.quarantine_disk(spec.id)
    assert world.pids(spec.id) == []
    assert world.machines.observe().disks == frozenset()
    (aside,) = world.paths.quarantine.iterdir()
    assert (aside / disks.DISK).exists()

    start = clock.now()
    clock.set_source(lambda: start + 6 * 86_400 * clock.SECOND)
    assert world.machines.purge_quarantine() == frozenset()
    assert len(list(world.paths.bases.iterdir())) == 2
    clock.set_source(lambda: start + 8 * 86_400 * clock.SECOND)
    assert world.machines.purge_quarantine() == {spec.id}
    assert list(world.paths.quarantine.iterdir()) == []
    assert list(world.paths.bases.iterdir()) == []


def test_a_console_log_is_bounded_while_the_guest_writes(world: World) -> None:
    spec = world.spec(CHATTY)
    world.machines.ensure_server(spec)
    log = world.paths.servers / spec.id / console.LOG
    until(lambda: log.stat().st_size > 128 << 10, "the log grows")
    assert console.trim(log, kept=16 << 10, limit=64 << 10)
    size = log.stat().st_size
    assert size < 64 << 10
    until(lambda: log.stat().st_size > size, "the guest writes on")
    assert set(world.console(spec.id)) <= set(b"0123456789abcdef")
    assert not console.trim(log, kept=1 << 30, limit=1 << 30)
