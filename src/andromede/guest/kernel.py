"""Picks kernel modules with their dependencies, and writes the maps that modprobe reads."""

from collections.abc import Iterable
from pathlib import Path

from andromede.guest.elf import module_info
from andromede.guest.errors import GuestBuildError
from andromede.guest.tree import Tree

# What finding and mounting the root file system takes.
FIRST_STAGE = ("virtio_pci", "virtio_blk", "virtio_scsi", "sd_mod", "edd")

# What the running system may ask for; what the kernel has built in is left out.
MODULES = (
    *FIRST_STAGE,
    "virtio_net",
    "virtio_rng",
    "virtio_balloon",
    "virtio_console",
    "sr_mod",
    "button",
    "evdev",
    "ext4",
    "vfat",
    "isofs",
    "nls_cp437",
    "nls_ascii",
    "nls_iso8859_1",
    "nls_utf8",
    "loop",
    "8021q",
)


class ModuleSet:
    """The modules of one kernel package, by name with underscores."""

    def __init__(self, directory: Path) -> None:
        """`directory` is lib/modules/RELEASE of an unpacked kernel package."""
        self.directory = directory
        self._paths = {
            path.stem.replace("-", "_"): path for path in sorted(directory.rglob("*.ko"))
        }
        if not self._paths:
            raise GuestBuildError(
                f"no uncompressed kernel modules in {directory}; "
                "this builder knows kernels packaged without module compression only"
            )
        built_in = directory / "modules.builtin"
        self._built_in = {
            Path(line).stem.replace("-", "_") for line in built_in.read_text().splitlines()
        }

    def closure(self, names: Iterable[str]) -> dict[str, list[str]]:
        """Each module of `names` and below it, with its direct dependencies; names sorted."""
        found: dict[str, list[str]] = {}
        pending = list(names)
        while pending:
            name = pending.pop()
            if name in found or name in self._built_in:
                continue
            if name not in self._paths:
                raise GuestBuildError(f"kernel in {self.directory} has no module {name}")
            needs = [
                dependency.replace("-", "_")
                for key, value in module_info(self._paths[name])
                if key == "depends"
                for dependency in value.split(",")
                if dependency
            ]
            found[name] = needs
            pending.extend(needs)
        return dict(sorted(found.items()))

    def add_to(self, tree: Tree, names: Iterable[str]) -> None:
        """Put the closure of `names` and its maps under usr/lib/modules/RELEASE of `tree`."""
        closure = self.closure(names)
        base = f"usr/lib/modules/{self.directory.name}"
        for name in closure:
            tree.copy(self._paths[name], f"{base}/{self._relative(name)}", 0o644)
        dependencies = "".join(
            f"{self._relative(name)}: {' '.join(map(self._relative, self._deep(name, closure)))}\n"
            for name in closure
        )
        aliases = "".join(
            f"alias {value} {name}\n"
            for name in closure
            for key, value in module_info(self._paths[name])
            if key == "alias"
        )
        tree.file(f"{base}/modules.dep", dependencies.encode())
        tree.file(f"{base}/modules.alias", aliases.encode())

    def _relative(self, name: str) -> str:
        return str(self._paths[name].relative_to(self.directory))

    def _deep(self, name: str, closure: dict[str, list[str]]) -> list[str]:
        """All modules that `name` needs, each before those it needs itself."""
        order: list[str] = []
        for needed in closure[name]:
            if needed not in closure:
                continue
            for entry in [needed, *self._deep(needed, closure)]:
                if entry in order:
                    order.remove(entry)
                order.append(entry)
        return order
