"""The QEMU command line of a server. Every file and socket in it is an inherited descriptor.

QEMU in its jail can open nothing of the host, so neither a hostile image's header nor a hostile
guest that took QEMU over can name a file. Touches nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from andromede.engine.protocol import EngineError, NicSpec, ServerSpec

QEMU = "/usr/bin/qemu-system-x86_64"
MACHINE = "pc-q35-7.2"  # fixed, so that a guest sees the same board after an upgrade of QEMU
SPARE_PORTS = 4  # root ports left free for what is plugged in later
MEBIBYTE = 1 << 20
TRANSLATED = 256  # MiB of translated code kept under TCG
SANDBOX = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"
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
    taps: tuple[int, ...]


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
    spec: ServerSpec, mark: str, accelerator: str, fds: Descriptors, base_format: str
) -> list[str]:
    """The whole command line, program first. `base_format` counts only with a base."""
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
        *("-no-user-config", "-nodefaults", "-no-shutdown"),
        *("-display", "none", "-vga", "none"),
        *("-sandbox", SANDBOX),
        *("-boot", "strict=on"),
        *_monitors(fds),
        *_serial(fds),
        *_storage(spec, fds, base_format),
        *_root_ports(len(spec.nics)),
        *_network(spec.nic_model, spec.nics, fds.taps),
        *("-object", "rng-builtin,id=rng", "-device", "virtio-rng-pci,rng=rng,id=rng0"),
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
    return [
        *_set(1, fds.console),
        *("-chardev", "file,id=serial,path=/dev/fdset/1,append=on"),
        *("-device", "isa-serial,chardev=serial"),
    ]


def _node(name: str, driver: str, **more: object) -> list[str]:
    plain = {key.replace("_", "-"): value for key, value in more.items()}
    return ["-blockdev", json.dumps({"driver": driver, "node-name": name, **plain})]


def _file(name: str, number: int, *, read_only: bool) -> list[str]:
    # locks are taken on the disk, which one QEMU owns, and not on a base, which many share
    path = f"/dev/fdset/{number}"
    locking = "off" if read_only else "on"
    return _node(name, "file", filename=path, read_only=read_only, discard="unmap", locking=locking)


def _storage(spec: ServerSpec, fds: Descriptors, base_format: str) -> list[str]:
    base: str | None = None
    words: list[str] = []
    if fds.base is not None:
        base = "base"
        more = {"backing": None} if base_format == "qcow2" else {}
        words += _set(3, fds.base) + _file("base-file", 3, read_only=True)
        words += _node(base, base_format, file="base-file", read_only=True, **more)
    words += _set(2, fds.disk) + _file("disk-file", 2, read_only=False)
    words += _node("disk", "qcow2", file="disk-file", backing=base, discard="unmap")
    words += _disk_device(spec.disk_bus)
    if fds.drive is not None:
        words += _set(4, fds.drive) + _file("drive-file", 4, read_only=True)
        words += _node("drive", "raw", file="drive-file", read_only=True)
        words += ["-device", "virtio-blk-pci,drive=drive,id=drive0,serial=config-drive"]
    return words


def _disk_device(bus: str) -> list[str]:
    if bus == "scsi":
        controller = ["-device", "virtio-scsi-pci,id=scsi0"]
        return [*controller, "-device", "scsi-hd,drive=disk,id=disk0,bus=scsi0.0,bootindex=1"]
    if bus == "sata":
        return ["-device", "ide-hd,drive=disk,id=disk0,bus=ide.0,bootindex=1"]
    return ["-device", "virtio-blk-pci,drive=disk,id=disk0,bootindex=1"]


def _network(model: str, nics: tuple[NicSpec, ...], taps: tuple[int, ...]) -> list[str]:
    words: list[str] = []
    for index, (nic, tap) in enumerate(zip(nics, taps, strict=True)):
        mtu = f",host_mtu={nic.mtu}" if model == "virtio" else ""
        rom = ",romfile=" if model != "rtl8139" else ",rombar=0"
        bus = f",bus=port{index}" if model in ("virtio", "e1000e") else ""
        words += ["-netdev", f"tap,id=net{index},fd={tap}"]
        words += [
            "-device",
            f"{NIC_MODELS[model]},netdev=net{index},id=nic{index},mac={nic.mac}{mtu}{rom}{bus}",
        ]
    return words


def _root_ports(nics: int) -> list[str]:
    """One root port for each card, so that it can be pulled, and the spare ones. Eight to a slot."""
    words: list[str] = []
    for index in range(nics + SPARE_PORTS):
        slot, function = 0x10 + index // 8, index % 8
        words += [
            "-device",
            f"pcie-root-port,id=port{index},chassis={index + 1},bus=pcie.0,"
            f"addr={slot:#x}.{function},multifunction=on",
        ]
    return words
