"""What one cloud is: its names, addresses and folders. Read by every role, written by first start."""

from __future__ import annotations

import ipaddress
import os
import re
import secrets
import socket
import tomllib
from pathlib import Path

import msgspec
from msgspec import Struct


class Place(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where this host is, as its operator declares it."""

    region: str = "RegionOne"
    site: str = "local"
    host: str = msgspec.field(default_factory=socket.gethostname)
    country: str = "undeclared"
    operator: str = "undeclared"


class Compliance(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What this cloud asks of users and their passwords; 0 and empty mean: nothing."""

    lockout_failure_attempts: int = 0  # wrong passwords in a row that lock a user
    lockout_duration: int = 1800  # seconds
    disable_user_account_days_inactive: int = 0
    password_expires_days: int = 0
    unique_last_password_count: int = 0  # passwords a new one differs from, itself among them
    minimum_password_age: int = 0  # days before a user may change its password again
    password_regex: str = ""
    password_regex_description: str = ""
    change_password_upon_first_use: bool = False


class Protection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who may do what with custom properties of images: names of roles, `@` for everybody."""

    name: str  # a property's, or a pattern of them in which `*` stands for anything
    create: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    update: tuple[str, ...] = ()
    delete: tuple[str, ...] = ()


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One cloud's settings, as `cloud.toml` holds them."""

    name: str = "andromede"
    short: str  # marks every host object of this cloud; four letters or digits
    uid_base: int  # first of the 65,536 user ids this cloud runs processes under
    engine: str = "embedded"
    database: str = ""  # SQLAlchemy URL; empty: SQLite in the state folder
    public: str = "127.0.0.1:8443"
    private: str = "127.0.0.1:8444"
    public_url: str = ""  # what clients call the public listener; empty: the address they reached
    private_url: str = ""
    api_processes: int = 2
    external_cidr: str = "172.24.4.0/24"
    largest_image: int = 1 << 40  # bytes of one uploaded image
    image_sources: tuple[str, ...] = ()  # what images are fetched from besides public addresses
    reclaim_seconds: int = 0  # how long a deleted server can be restored; 0: it goes at once
    place: Place = Place()
    security_compliance: Compliance = Compliance()
    image_properties: tuple[Protection, ...] = ()  # the first that a name fits decides


class Paths:
    """The folders and sockets of one cloud, all below its state folder."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.config = state / "cloud.toml"
        self.asked = state / "asked.json"
        self.db = state / "db"
        self.images = state / "images"
        self.servers = state / "servers"
        self.bases = state / "bases"
        self.quarantine = state / "quarantine"
        self.keys = state / "keys"
        self.tls = state / "tls"
        self.logs = state / "logs"
        self.run = state / "run"
        self.clients = state / "clients"
        self.guests = state / "guests"
        self.cache = state / "cache"
        self.accelerator = state / "accelerator.json"

    def owned(self) -> list[Path]:
        """What one cloud's life fills; built guests, caches and the host's verdict outlive it."""
        return [
            self.db, self.images, self.servers, self.bases, self.quarantine,
            self.keys, self.tls, self.logs, self.run, self.clients,
        ]  # fmt: skip

    def database_url(self, config: Config) -> str:
        return config.database or f"sqlite:///{self.db / 'andromede.sqlite'}"


ENGINES = ("embedded", "simulated")
UID_BLOCK = 65_536
MOST_UID = 0xFFFF_FFFE
FIRST_UID = 0x4000_0000
# The courier is the api without its sockets: it shares the database, so the user.
ROLE_UIDS = {"api": 1, "keys": 2, "edge": 3, "inspect": 4, "dnsmasq": 5, "courier": 1}
SERVER_UID_OFFSET = 1_000


# Taken before roles drop their privileges: each of them still knows the others' users.
_AS_ROOT = os.geteuid() == 0


def role_uid(config: Config, role: str) -> int:
    """The user id (and group id) a role runs under; without root every role is the caller."""
    return config.uid_base + ROLE_UIDS[role] if _AS_ROOT else os.geteuid()


def cloud_gid(config: Config) -> int:
    """The group that all roles of this cloud share: who may enter its run folder."""
    return config.uid_base if _AS_ROOT else os.getegid()


def address(text: str) -> tuple[str, int]:
    """Split `host:port`, with an IPv6 host in brackets.

    Errors: ValueError saying what is accepted.
    """
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65_536:
        raise ValueError(f"{text!r} is no address: HOST:PORT is accepted, as in 127.0.0.1:8443")
    return host.strip("[]"), int(port)


def external_gateway(config: Config) -> str:
    """The address this host holds on the external network; the public listener is there too."""
    return str(next(ipaddress.ip_network(config.external_cidr).hosts()))


def server_uid(config: Config, number: int) -> int:
    """The user id of one server's QEMU, from the server's number."""
    span = UID_BLOCK - SERVER_UID_OFFSET
    return config.uid_base + SERVER_UID_OFFSET + number % span


def default_state() -> Path:
    """`ANDROMEDE_STATE`, or the usual place for root or for a user."""
    given = os.environ.get("ANDROMEDE_STATE")
    if given:
        return Path(given).resolve()
    if os.geteuid() == 0:
        return Path("/var/lib/andromede")
    data = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local/state")
    return Path(data) / "andromede"


def new_config(**settings: object) -> Config:
    """A configuration for a first start: a fresh mark, a block of user ids, this host's name."""
    short = "".join(secrets.choice("abcdefghijkmnpqrstuvwxyz23456789") for _ in range(4))
    block = secrets.randbelow(8_192)
    place = Place()
    document = {
        "short": short,
        "uid_base": FIRST_UID + block * UID_BLOCK,
        "place": place,
        **{key: value for key, value in settings.items() if value is not None},
    }
    return msgspec.convert(document, Config, from_attributes=True)


def load(state: Path) -> Config:
    """Read `cloud.toml`.

    Errors: FileNotFoundError when the cloud was never started; ValueError naming the faulty key.
    """
    path = Paths(state).config
    try:
        config = msgspec.convert(tomllib.loads(path.read_text()), Config)
        _check(config)
    except (msgspec.ValidationError, ValueError) as error:
        raise ValueError(f"reading {path}: {error}") from error
    return config


def _check(config: Config) -> None:
    """Errors: ValueError naming the setting and what is accepted."""
    if not re.fullmatch("[A-Za-z0-9][A-Za-z0-9._-]{0,63}", config.name):
        raise ValueError(
            f"name is {config.name!r}: up to 64 letters, digits, dots, hyphens and underscores "
            f"are accepted"
        )
    if not re.fullmatch("[a-z0-9]{4}", config.short):
        raise ValueError(f"short is {config.short!r}: four letters or digits are accepted")
    if not 0 < config.uid_base <= MOST_UID - UID_BLOCK:
        raise ValueError(f"uid_base is {config.uid_base}: 1 to {MOST_UID - UID_BLOCK} is accepted")
    if not config.place.host:
        raise ValueError("host of [place] is empty: a name is accepted, or no line of it")
    if config.engine not in ENGINES:
        raise ValueError(f"engine is {config.engine!r}: {' or '.join(ENGINES)} is accepted")
    if config.api_processes < 1:
        raise ValueError(f"api_processes is {config.api_processes}: 1 or more is accepted")
    for name in ("public", "private"):
        try:
            address(getattr(config, name))
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    for entry in config.image_sources:
        if (problem := _source_problem(entry)) is not None:
            raise ValueError(f"image_sources has {entry!r}: {problem}")
    try:
        ipaddress.IPv4Network(config.external_cidr)
    except ValueError as error:
        raise ValueError(f"external_cidr: {error}") from None
    _check_compliance(config.security_compliance)
    for each in config.image_properties:
        _check_protection(each)


def _check_protection(rule: Protection) -> None:
    words = (rule.name, *rule.create, *rule.read, *rule.update, *rule.delete)
    if not all(words):
        raise ValueError(
            f"image_properties has an empty word for {rule.name!r}: a property's name, roles and @ "
            f"for everybody are accepted"
        )


def _check_compliance(wanted: Compliance) -> None:
    for name in Compliance.__struct_fields__:
        value = getattr(wanted, name)
        if isinstance(value, int) and value < 0:
            raise ValueError(f"security_compliance.{name} is {value}: 0 or more is accepted")
    try:
        re.compile(wanted.password_regex)
    except re.error as error:
        raise ValueError(f"security_compliance.password_regex: {error}") from None


def _source_problem(entry: str) -> str | None:
    """Why an entry of `image_sources` is none."""
    if "/" in entry:
        try:
            ipaddress.ip_network(entry)
        except ValueError as error:
            return str(error)
        return None
    host, port = entry, "80"
    if ":" in entry and not entry.endswith("]"):
        host, _, port = entry.rpartition(":")
    right = port.isascii() and port.isdigit() and 0 < int(port) < 65_536
    return None if host and right else "HOST, HOST:PORT or a network as 10.0.0.0/8 is accepted"


def save(state: Path, config: Config) -> None:
    """Write `cloud.toml` whole or not at all."""
    path = Paths(state).config
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = msgspec.to_builtins(config)
    tables = {key: plain.pop(key) for key in ("place", "security_compliance")}
    several = {key: plain.pop(key) for key in ("image_properties",)}
    lines = _pairs(plain)
    for name, table in tables.items():
        lines += ["", f"[{name}]", *_pairs(table)]
    for name, listed in several.items():
        for table in listed:
            lines += ["", f"[[{name}]]", *_pairs(table)]
    draft = path.with_suffix(".new")
    try:
        draft.touch(mode=0o600 if config.database else 0o644)  # a URL may hold a password
        draft.write_text("\n".join(lines) + "\n")
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def _pairs(table: dict[str, object]) -> list[str]:
    return [f"{key} = {_toml(value)}" for key, value in table.items()]


def _toml(value: object) -> str:
    return msgspec.json.encode(value).decode()
