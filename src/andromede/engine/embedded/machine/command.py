"""The QEMU command line of a server. Every file and socket in it is an inherited descriptor.

QEMU in its jail can open nothing of the host, so neither a hostile image's header nor a hostile
guest that took QEMU over can name a file. Touches nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from andromede.engine.protocol import EngineError, NicSpec, RescueSpec, ServerSpec

QEMU = "/usr/bin/qemu-system-x86_64"
MACHINE = "pc-q35-7.2"  # fixed, so that a guest sees the same board after an upgrade of QEMU
SPARE_PORTS = 4  # root ports left free for what is plugged in later
MEBIBYTE = 1 << 20
VIDEO_MEMORY = 16  # MiB
TRANSLATED = 256  # MiB of translated code kept under TCG
SANDBOX = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"
AGENT = "org.qemu.guest_agent.0"  # by which agents know their port
ON_ROOT_PORTS = ("virtio", "e1000e")  # the cards that can be plugged and pulled
NIC_MODELS = {
    "virtio": "virtio-net-pci",
    "e1000e": "e1000e",
    "e1000": "e1000",
    "rtl8139": "rtl8139",
}
DISK_BUSES = ("virtio", "scsi", "sata")


@dataclass(frozen=True, kw_only=True)
class Descriptors:
    """What QEMU inherits, by number."""

    disk: int
    base: int | None
    drive: int | None
    console: int
    commands: int  # listening sockets of the two monitors
    events: int
    serial: int  # and that of the serial port
    taps: tuple[int, ...]
    rescue: int | None = None
    rescue_base: int | None = None
    state: int | None = None  # the memory of a suspended machine
    agent: int | None = None  # the listening socket of the port for the guest's agent


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What a start fixes of a machine: the formats of its bases, its root ports, and the one that
    each card is on."""

    base_format: str
    rescue_format: str
    slots: tuple[int, ...]
    ports: int


def check(spec: ServerSpec) -> None:
    """Refuse what no machine here can be. Errors: EngineError, permanent."""
    wrong = [
        (spec.firmware != "bios", f"firmware {spec.firmware}; bios is accepted"),
        (spec.disk_bus not in DISK_BUSES, f"disk bus {spec.disk_bus}; accepted: {DISK_BUSES}"),
        (
            spec.nic_model not in NIC_MODELS,
            f"network card {spec.nic_model}; accepted: {tuple(NIC_MODELS)}",
        ),
        (not 1 <= spec.vcpus <= 255, f"{spec.vcpus} vcpus; 1 to 255 are accepted"),
        (
            spec.memory < 16 * MEBIBYTE or spec.memory % MEBIBYTE != 0,
            f"{spec.memory} bytes of memory; whole mebibytes from 16 are accepted",
        ),
        (len(spec.nics) > 16, f"{len(spec.nics)} network cards; up to 16 are accepted"),
    ]
    for bad, text in wrong:
        if bad:
            raise EngineError(f"making server {spec.id}: it asks for {text}", permanent=True)


def build(
    spec: ServerSpec, mark: str, accelerator: str, fds: Descriptors, layout: Layout
) -> list[str]:
    """The whole command line, program first. The machine waits for a command to begin."""
    kvm = accelerator == "kvm"
    return [
        QEMU,
        "-name",
        f"{mark},debug-threads=on",
        "-uuid",
        spec.id,
        "-machine",
        f"{MACHINE},usb=off,vmport=off,hpet=off,smbus=off,sata={_switch(spec.disk_bus == 'sata')},"
        "dump-guest-core=off",
        "-accel",
        "kvm" if kvm else f"tcg,tb-size={TRANSLATED}",
        "-cpu",
        "host" if kvm else "max",
        "-smp",
        f"cpus={spec.vcpus},sockets=1,cores={spec.vcpus},threads=1",
        "-m",
        f"{spec.memory // MEBIBYTE}M",
        "-rtc",
        "base=utc,driftfix=slew",
        # cloud-init takes a machine of this product for one with OpenStack's metadata
        "-smbios",
        f"type=1,manufacturer=Andromede,product=OpenStack Nova,serial={spec.id},uuid={spec.id}",
        *("-no-user-config", "-nodefaults", "-no-shutdown", "-S"),
        *_screen(),
        *("-sandbox", SANDBOX),
        *("-boot", "strict=on"),
        *_monitors(fds),
        *_serial(fds),
        *_storage(spec, fds, layout),
        *_root_ports(layout.ports),
        *_network(spec.nic_model, spec.nics, fds.taps, layout.slots),
        *("-object", "rng-builtin,id=rng", "-device", "virtio-rng-pci,rng=rng,id=rng0"),
        *_agent(fds),
        *(("-incoming", f"fd:{fds.state}") if fds.state is not None else ()),
    ]


def build_copier(mark: str, fds: Descriptors, base_format: str) -> list[str]:
    """A machine without a guest, which does nothing but read a server's disk when it is told to."""
    return [
        QEMU,
        *("-name", mark, "-machine", "none", "-no-user-config", "-nodefaults"),
        *("-display", "none", "-sandbox", SANDBOX),
        *_monitors(fds),
        *_disk(fds, base_format, read_only=True),
    ]


def _switch(on: bool) -> str:
    return "on" if on else "off"


def _set(number: int, descriptor: int) -> list[str]:
    return ["-add-fd", f"fd={descriptor},set={number}"]


def _monitors(fds: Descriptors) -> list[str]:
    return [
        *("-chardev", f"socket,id=commands,fd={fds.commands},server=on,wait=off"),
        *("-mon", "chardev=commands,mode=control"),
        *("-chardev", f"socket,id=events,fd={fds.events},server=on,wait=off"),
        *("-mon", "chardev=events,mode=control"),
    ]


def _serial(fds: Descriptors) -> list[str]:
    """Whoever connects to the port types into it; all that it says goes to the log as well."""
    log = "logfile=/dev/fdset/1,logappend=on"
    return [
        *_set(1, fds.console),
        *("-chardev", f"socket,id=serial,fd={fds.serial},server=on,wait=off,{log}"),
        *("-device", "isa-serial,chardev=serial"),
    ]


def _agent(fds: Descriptors) -> list[str]:
    """The port that an agent in the guest opens by its name; after all other devices, which keep
    their places without it. Source: QEMU, docs/interop/qemu-ga.rst."""
    if fds.agent is None:
        return []
    return [
        *("-chardev", f"socket,id=agent,fd={fds.agent},server=on,wait=off"),
        *("-device", "virtio-serial-pci,id=ports,max_ports=2"),  # the first is a console's
        *("-device", f"virtserialport,bus=ports.0,nr=1,chardev=agent,id=agent0,name={AGENT}"),
    ]


def _screen() -> list[str]:
    """A screen that nobody sees until a connection is handed over through the monitor: it listens
    nowhere."""
    vga = f"VGA,id=video0,vgamem_mb={VIDEO_MEMORY}"
    return ["-display", "none", "-vga", "none", "-vnc", "none", "-device", vga]


def _node(name: str, driver: str, **more: object) -> list[str]:
    plain = {key.replace("_", "-"): value for key, value in more.items()}
    return ["-blockdev", json.dumps({"driver": driver, "node-name": name, **plain})]


def _file(name: str, number: int, *, read_only: bool) -> list[str]:
    # locks are taken on the disk, which one QEMU owns, and not on a base, which many share
    path = f"/dev/fdset/{number}"
    locking = "off" if read_only else "on"
    return _node(name, "file", filename=path, read_only=read_only, discard="unmap", locking=locking)


def _disk(fds: Descriptors, base_format: str, *, read_only: bool = False) -> list[str]:
    return _overlay("", (fds.disk, fds.base), (2, 3), base_format, read_only=read_only)


def _overlay(
    prefix: str,
    descriptors: tuple[int | None, int | None],
    sets: tuple[int, int],
    base_format: str,
    *,
    read_only: bool = False,
) -> list[str]:
    """A disk, called `disk` after its prefix, and what it stands on."""
    (disk, below), base, words = descriptors, None, []
    assert disk is not None
    if below is not None:
        base = f"{prefix}base"
        more = {"backing": None} if base_format == "qcow2" else {}
        words += _set(sets[1], below) + _file(f"{base}-file", sets[1], read_only=True)
        words += _node(base, base_format, file=f"{base}-file", read_only=True, **more)
    name = f"{prefix}disk"
    words += _set(sets[0], disk) + _file(f"{name}-file", sets[0], read_only=read_only)
    also = {"read_only": True} if read_only else {}
    file = f"{name}-file"
    return words + _node(name, "qcow2", file=file, backing=base, discard="unmap", **also)


def _storage(spec: ServerSpec, fds: Descriptors, layout: Layout) -> list[str]:
    rescue, own = [], _disk(fds, layout.base_format)
    first = 1 if spec.rescue is None else 2
    own += _controllers(spec) + _disk_device(spec.disk_bus, "disk", "disk0", first)
    if spec.rescue is not None:
        both = (fds.rescue, fds.rescue_base)
        rescue = _overlay("rescue-", both, (5, 6), layout.rescue_format)
        rescue += _rescue_device(spec.rescue)
    if spec.rescue is not None and not spec.rescue.last:
        own, rescue = rescue + own, []
    words = own
    if fds.drive is not None:
        words += _set(4, fds.drive) + _file("drive-file", 4, read_only=True)
        words += _node("drive", "raw", file="drive-file", read_only=True)
        words += ["-device", "virtio-blk-pci,drive=drive,id=drive0,serial=config-drive"]
    return words + rescue


def _controllers(spec: ServerSpec) -> list[str]:
    return ["-device", "virtio-scsi-pci,id=scsi0"] if spec.disk_bus == "scsi" else []


def _rescue_device(rescue: RescueSpec) -> list[str]:
    """The disk to boot from, on a controller of its own where its bus needs one."""
    end = ",drive=rescue-disk,id=rescue0,bootindex=1"
    kind = "cd" if rescue.device == "cdrom" else "hd"
    if rescue.bus == "scsi":
        controller = ["-device", "virtio-scsi-pci,id=rescue-scsi"]
        return [*controller, "-device", f"scsi-{kind},bus=rescue-scsi.0{end}"]
    if rescue.bus == "sata":
        controller = ["-device", "ich9-ahci,id=rescue-sata"]
        return [*controller, "-device", f"ide-{kind},bus=rescue-sata.0{end}"]
    if rescue.bus == "usb":
        return [
            "-device",
            "qemu-xhci,id=rescue-usb",
            "-device",
            f"usb-storage,bus=rescue-usb.0{end}",
        ]
    return ["-device", f"virtio-blk-pci{end}"]


def _disk_device(bus: str, node: str, name: str, turn: int) -> list[str]:
    """The server's own disk; `turn` is its place in the boot order."""
    end = f"drive={node},id={name},bootindex={turn}"
    if bus == "scsi":
        return ["-device", f"scsi-hd,{end},bus=scsi0.0"]
    if bus == "sata":
        return ["-device", f"ide-hd,{end},bus=ide.0"]
    return ["-device", f"virtio-blk-pci,{end}"]


def _network(
    model: str, nics: tuple[NicSpec, ...], taps: tuple[int, ...], slots: tuple[int, ...]
) -> list[str]:
    words: list[str] = []
    for index, nic, tap in zip(slots, nics, taps, strict=True):
        mtu = f",host_mtu={nic.mtu}" if model == "virtio" else ""
        rom = ",romfile=" if model != "rtl8139" else ",rombar=0"
        bus = f",bus=port{index}" if model in ON_ROOT_PORTS else ""
        words += ["-netdev", f"tap,id=net{index},fd={tap}"]
        words += [
            "-device",
            f"{NIC_MODELS[model]},netdev=net{index},id=nic{index},mac={nic.mac}{mtu}{rom}{bus}",
        ]
    return words


def _root_ports(count: int) -> list[str]:
    """One root port for each card, so that it can be pulled, and the spare ones. Eight to a slot."""
    words: list[str] = []
    for index in range(count):
        slot, function = 0x10 + index // 8, index % 8
        words += [
            "-device",
            f"pcie-root-port,id=port{index},chassis={index + 1},bus=pcie.0,"
            f"addr={slot:#x}.{function},multifunction=on",
        ]
    return words
