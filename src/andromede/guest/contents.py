"""Says what is in the tiny image, and assembles the trees of its two stages from packages."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from andromede.guest.elf import needed_libraries
from andromede.guest.errors import GuestBuildError, run
from andromede.guest.kernel import FIRST_STAGE, MODULES, ModuleSet
from andromede.guest.packages import Package
from andromede.guest.tree import Tree

ROOTFS = Path(__file__).parent / "rootfs"
PUBLIC_PASSWORD = ROOTFS / "public-password"  # what of the root it replaces

GUEST_PACKAGES = (
    "bash",
    "busybox-static",
    "curl",
    "dhcpcd-base",
    "dosfstools",
    "dropbear-bin",
    "e2fsprogs",
    "iputils-ping",
    "linux-image-cloud-amd64",
    "ndisc6",
    "qemu-guest-agent",
    "sudo",
    "util-linux",
)

LIBRARIES = "usr/lib/x86_64-linux-gnu"

# Files taken from packages, besides busybox and the shared libraries that these name.
PROGRAMS = (
    "usr/bin/bash",
    "usr/bin/curl",
    "usr/bin/dropbearkey",
    "usr/bin/lsblk",
    "usr/bin/ping",
    "usr/bin/rdisc6",
    "usr/bin/sudo",
    "usr/sbin/blkid",
    "usr/sbin/dhcpcd",
    "usr/sbin/dropbear",
    "usr/sbin/mke2fs",
    "usr/sbin/mkfs.fat",
    "usr/sbin/qemu-ga",
    "usr/sbin/resize2fs",
)
PLUGINS = (
    f"{LIBRARIES}/security/pam_deny.so",
    f"{LIBRARIES}/security/pam_permit.so",
    "usr/libexec/sudo/libsudo_util.so.0",
    "usr/libexec/sudo/sudoers.so",
)
DATA = ("etc/mke2fs.conf",)
LINKS = {
    "bin": "usr/bin",
    "lib": "usr/lib",
    "lib64": "usr/lib64",
    "sbin": "usr/bin",
    "usr/sbin": "bin",
    "usr/bin/ping6": "ping",
    "usr/bin/mkfs.ext4": "mke2fs",
    "usr/bin/mkfs.vfat": "mkfs.fat",
    "var/run": "../run",
    "etc/mtab": "../proc/self/mounts",
    "etc/resolv.conf": "../run/resolv.conf",
}
DIRECTORIES = (
    "dev", "proc", "sys", "run", "mnt", "root", "etc/dropbear", "var/lib/andromede",
    "var/lib/dhcpcd",
)  # fmt: skip

# Applets that would pretend to a package manager.
UNWANTED_APPLETS = frozenset({"busybox", "dpkg", "dpkg-deb", "linuxrc", "rpm", "rpm2cpio"})

_MODES = {"etc/shadow": 0o600, "etc/sudoers": 0o440}


class Files:
    """Every file of a set of packages by its path on a system with merged /usr."""

    def __init__(self, packages: Sequence[Package]) -> None:
        self._paths: dict[str, Path] = {}
        for package in packages:
            for directory, _, names in os.walk(package.tree):
                base = Path(directory)
                for name in names:
                    relative = str((base / name).relative_to(package.tree))
                    self._paths[merged(relative)] = base / name

    def find(self, path: str) -> Path:
        """The regular file at `path`, through the packages' symbolic links."""
        seen = path
        for _ in range(8):
            source = self._paths.get(seen)
            if source is None:
                break
            if not source.is_symlink():
                return source
            target = os.readlink(source)
            joined = target if target.startswith("/") else f"{os.path.dirname(seen)}/{target}"
            seen = merged(os.path.normpath(joined).lstrip("/"))
        raise GuestBuildError(
            f"no package of {', '.join(GUEST_PACKAGES)} has {path}; "
            "this Debian release lays it out differently: adapt andromede.guest.contents"
        )

    def has(self, path: str) -> bool:
        return path in self._paths


def merged(path: str) -> str:
    """`path` with /bin, /lib, /lib64 and /sbin moved below /usr."""
    first = path.split("/", 1)[0]
    return f"usr/{path}" if first in {"bin", "lib", "lib64", "sbin"} else path


def root_tree(files: Files, modules: ModuleSet, *, public_password: bool = False) -> Tree:
    """The system that runs: packages' programs, our scripts, all modules."""
    tree = Tree()
    for directory in DIRECTORIES:
        tree.directory(directory)
    tree.directory("tmp", 0o1777)
    tree.directory("var/tmp", 0o1777)
    tree.directory("home/cirros", 0o755, uid=1000, gid=1000)
    for path, target in LINKS.items():
        tree.link(path, target)
    _add_programs(tree, files)
    _add_applets(tree, files)
    add_scripts(tree, ROOTFS / "root")
    if public_password:
        add_scripts(tree, PUBLIC_PASSWORD)
    modules.add_to(tree, MODULES)
    return tree


def first_stage_tree(files: Files, modules: ModuleSet) -> Tree:
    """The initial file system: busybox, the disk drivers and one script."""
    tree = Tree()
    for directory in ("dev", "proc", "sys", "root"):
        tree.directory(directory)
    for path in ("bin", "sbin", "lib"):
        tree.link(path, f"usr/{'lib' if path == 'lib' else 'bin'}")
    tree.device("dev/console", 5, 1)
    _add_applets(tree, files)
    add_scripts(tree, ROOTFS / "initrd")
    modules.add_to(tree, FIRST_STAGE)
    return tree


def module_set(packages: Sequence[Package]) -> ModuleSet:
    """The modules of the one kernel among `packages`."""
    return ModuleSet(_kernel_path(packages, "lib/modules/*").resolve())


def kernel_image(packages: Sequence[Package]) -> Path:
    """The kernel among `packages`, as the boot loader takes it."""
    return _kernel_path(packages, "boot/vmlinuz-*")


def _kernel_path(packages: Sequence[Package], pattern: str) -> Path:
    found = [
        path
        for package in packages
        if package.name.startswith("linux-image-")
        for prefix in ("", "usr/")
        for path in package.tree.glob(prefix + pattern)
    ]
    if len(found) != 1:
        raise GuestBuildError(f"expected one {pattern} in the kernel package, found {len(found)}")
    return found[0]


def _add_programs(tree: Tree, files: Files) -> None:
    for path in PROGRAMS:
        tree.copy(files.find(path), f"usr/bin/{path.rsplit('/', 1)[1]}")
    for path in (*PLUGINS, *DATA):
        tree.copy(files.find(path), path)
    _add_libraries(tree, files, (*PROGRAMS, *PLUGINS))


def _add_libraries(tree: Tree, files: Files, roots: Iterable[str]) -> None:
    """Add what `roots` and their libraries name in DT_NEEDED, each under its soname."""
    pending = list(roots)
    seen: set[str] = set()
    while pending:
        for name in needed_libraries(files.find(pending.pop()).read_bytes()):
            if name in seen:
                continue
            seen.add(name)
            path = _library_path(files, name)
            tree.copy(files.find(path), path, 0o755 if name.startswith("ld-") else 0o644)
            pending.append(path)
    tree.link("usr/lib64/ld-linux-x86-64.so.2", f"../../{LIBRARIES}/ld-linux-x86-64.so.2")


def _library_path(files: Files, name: str) -> str:
    for directory in (LIBRARIES, "usr/lib64", "usr/libexec/sudo"):
        if files.has(f"{directory}/{name}"):
            return f"{directory}/{name}"
    raise GuestBuildError(f"no downloaded package has the shared library {name}")


def _add_applets(tree: Tree, files: Files) -> None:
    busybox = files.find("usr/bin/busybox")
    tree.copy(busybox, "usr/bin/busybox", 0o755)
    for name in sorted(set(run([str(busybox), "--list"]).split()) - UNWANTED_APPLETS):
        path = f"usr/bin/{name}"
        if path not in tree.nodes:
            tree.link(path, "busybox")


def add_scripts(tree: Tree, source: Path) -> None:
    """Add every file below a folder; what begins with #! is a program."""
    for path in sorted(source.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            name = str(path.relative_to(source))
            tree.file(name, data, _MODES.get(name, 0o755 if data[:2] == b"#!" else 0o644))
