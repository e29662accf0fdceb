"""Every store of a cloud, where it is, and what it holds: logs, identities and metadata included.

A test holds this list to what `config.Paths` owns. Pure.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from msgspec import Struct
from sqlalchemy import make_url

from andromede.config import Config, Paths
from andromede.sovereignty.words import Text, text


class Store(Struct, frozen=True, kw_only=True):
    """A folder, or a database elsewhere. `here` False: on another host, whose place is what is
    declared of it."""

    name: str
    holds: Text
    where: str
    path: Path | None = None
    here: bool = True


HOLDS: Final = {
    "db": text(
        "the database: resources, identities, metadata, the log and its leaves",
        "la base de données : ressources, identités, métadonnées, le journal et ses feuilles",
    ),
    "images": text("images' data", "données des images"),
    "servers": text(
        "servers' disks, config drives and console output",
        "disques des serveurs, disques de configuration et sorties de console",
    ),
    "bases": text(
        "images that servers' disks stand on", "images sur lesquelles reposent des disques"
    ),
    "quarantine": text(
        "disks that nobody owns, for seven days", "disques sans propriétaire, pendant sept jours"
    ),
    "keys": text(
        "the master key, the log's signing key, keys of tokens",
        "la clé maîtresse, la clé de signature du journal, les clés des jetons",
    ),
    "tls": text("certificates of the listeners", "certificats des points d'accès"),
    "logs": text("the roles' own logs", "journaux techniques des rôles"),
    "run": text("sockets and measures while it runs", "sockets et mesures pendant la marche"),
    "clients": text("the local operator's login", "identifiants de l'opérateur local"),
}
DATABASE: Final = HOLDS["db"]


def stores(config: Config, paths: Paths) -> list[Store]:
    """Every store of this cloud. Those that are folders lie on this host, at its declared site."""
    found = [
        Store(name=path.name, holds=HOLDS[path.name], where=str(path), path=path)
        for path in paths.owned()
    ]
    if config.database and not config.database.startswith("sqlite"):
        url = make_url(config.database)
        host = url.host or "localhost"
        near = host in ("localhost", "127.0.0.1", "::1") or host.startswith("/")
        found.append(
            Store(name="postgresql", holds=DATABASE, where=f"{host}/{url.database}", here=near)
        )
    return found
