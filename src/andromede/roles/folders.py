"""The state folder: which role owns which part of it."""

from __future__ import annotations

import os
from pathlib import Path

from andromede.config import Config, Paths, cloud_gid, role_uid


def ensure(config: Config, paths: Paths) -> None:
    """Make every folder with its owner and mode. Without root all belong to the caller."""
    root = os.geteuid() if os.geteuid() != 0 else 0
    api, keys = role_uid(config, "api"), role_uid(config, "keys")
    for path, owner, group, mode in (
        (paths.state, root, None, 0o711),
        (paths.db, api, None, 0o700),
        (paths.images, api, None, 0o700),
        (paths.keys, keys, None, 0o700),
        (paths.servers, root, None, 0o711),
        (paths.bases, root, None, 0o711),
        (paths.quarantine, root, None, 0o700),
        (paths.tls, root, None, 0o755),
        (paths.logs, root, None, 0o700),
        (paths.clients, root, None, 0o700),
        (paths.run, root, cloud_gid(config), 0o1770),
        (paths.run / "metrics", root, cloud_gid(config), 0o1770),
    ):
        _folder(path, owner, group, mode)


def _folder(path: Path, owner: int, group: int | None, mode: int) -> None:
    path.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        os.chown(path, owner, owner if group is None else group)
    path.chmod(mode)
