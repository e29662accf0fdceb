"""A cloud for Tempest: what its tests expect to find there, and the tempest.conf that tells of it."""

from __future__ import annotations

import configparser
import contextlib
import io
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from andromede.cli.client import Session, poll
from andromede.config import Compliance, Paths
from benchmarks import scratch
from benchmarks.scratch import Scratch
from tests.conformance import web

# Tests act as an all-powerful operator, with a password alone.
OPEN = {"operator_access": "open", "second_factor": "off"}
# What tests of lockout and of password history are told to expect. A login under way counts as a try,
# and each worker logs in as the same operator: there are more tries than workers.
STRICT = Compliance(lockout_failure_attempts=12, lockout_duration=5, unique_last_password_count=2)
SECTOR = 64 * 1024
SIMULATED_HOSTS = 1


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What the tests are told of: ids, and the operator they are."""

    auth_url: str
    ca: Path
    password: str
    images: tuple[str, str]
    flavors: tuple[str, str]
    external: str
    extensions: tuple[str, ...]
    microversion: str
    guests: bool  # whether real guests answer over SSH
    image_file: Path | None
    web_image: str  # a disk on the web


@contextlib.contextmanager
def open_cloud(engine: str, image: Path | None) -> Iterator[Prepared]:
    """A cloud that is erased afterwards; `image` is a guest's, on the embedded engine."""
    with (
        web.serve() as source,
        scratch.cloud(engine, image_sources=[source], security_compliance=STRICT) as cloud,
    ):
        cloud.operator.call("sovereignty", "PUT", "/policies/cloud", {"policy": OPEN})
        yield _prepare(cloud, image, source)


def _prepare(cloud: Scratch, image: Path | None, source: str) -> Prepared:
    operator = cloud.operator
    password = _admin(operator)
    networks = operator.call("network", "GET", "/v2.0/networks", **{"router:external": "true"})
    found = operator.call("network", "GET", "/v2.0/extensions")["extensions"]
    versions = operator.call("compute", "GET", "/")["version"]
    return Prepared(
        auth_url=operator.auth_url,
        ca=Paths(cloud.state).tls / "ca.pem",
        password=password,
        images=(_image(operator, "guest", image), _image(operator, "guest-alt", image)),
        flavors=(_flavor(operator, "m1.nano", 192), _flavor(operator, "m1.micro", 256)),
        external=networks["networks"][0]["id"],
        extensions=tuple(sorted(each["alias"] for each in found)),
        microversion=versions["version"],
        guests=image is not None,
        image_file=image,
        web_image=f"http://{source}/disk.qcow2",
    )


def _admin(operator: Session) -> str:
    """The operator with a password whom the tests are; the password."""
    secret = secrets.token_urlsafe(16)
    user = {"name": "tempest", "domain_id": "default", "password": secret}
    made = operator.call("identity", "POST", "/users", {"user": user})["user"]
    project = {"name": "tempest", "domain_id": "default"}
    home = operator.call("identity", "POST", "/projects", {"project": project})["project"]
    role = operator.find("identity", "/roles", "roles", "admin")
    assert role is not None
    grants = [f"/projects/{home['id']}", "/domains/default", "/system"]
    for each in grants:
        operator.call("identity", "PUT", f"{each}/users/{made['id']}/roles/{role['id']}")
    return secret


def _image(operator: Session, name: str, file: Path | None) -> str:
    form = "raw" if file is None else "qcow2"
    body = {"name": name, "disk_format": form, "container_format": "bare", "visibility": "public"}
    body |= {"hw_qemu_guest_agent": "yes", "os_admin_user": "cirros"}
    made = operator.call("image", "POST", "/v2/images", body)
    path = f"/v2/images/{made['id']}/file"
    if file is None:
        operator.upload("image", path, io.BytesIO(bytes(SECTOR)), SECTOR)
    else:
        with file.open("rb") as content:
            operator.upload("image", path, content, file.stat().st_size)

    def active() -> bool:
        shown = operator.call("image", "GET", f"/v2/images/{made['id']}")
        return bool(shown["status"] == "active")

    poll(active, 120, f"image {name} did not become active")
    return str(made["id"])


def _flavor(operator: Session, name: str, ram: int) -> str:
    body = {"name": name, "ram": ram, "vcpus": 1, "disk": 1}
    made = operator.call("compute", "POST", "/flavors", {"flavor": body})
    return str(made["flavor"]["id"])


def configure(prepared: Prepared, folder: Path) -> Path:
    """Write tempest.conf into a folder; its path."""
    written = configparser.RawConfigParser()
    written.optionxform = str  # type: ignore[assignment, method-assign]
    for section, options in _options(prepared, folder).items():
        if section != "DEFAULT":
            written.add_section(section)
        for name, value in options.items():
            written.set(section, name, str(value).replace("$", "$$"))
    path = folder / "tempest.conf"
    with path.open("w") as file:
        written.write(file)
    path.chmod(0o600)
    return path


def _options(prepared: Prepared, folder: Path) -> dict[str, dict[str, Any]]:
    return {
        "DEFAULT": {"log_dir": folder, "log_file": "tempest.log"},
        "oslo_concurrency": {"lock_path": folder / "locks"},
        **_people(prepared),
        **_machines(prepared),
        **_networks(prepared),
        "service_available": {
            "nova": True, "glance": True, "neutron": True, "cinder": False, "swift": False,
            "horizon": False,
        },
        "image": {
            "disk_formats": "qcow2,raw,ami,ari,aki,vhd,vmdk,vdi,iso,vhdx",
            "http_qcow2_image": prepared.web_image, "http_image": prepared.web_image,
        },
        "image-feature-enabled": {
            # What is no disk of its declared format is kept, and never booted (docs/adr/0013): tests
            # that upload such bytes run, which enforcement would skip.
            "os_glance_reserved": True, "import_image": True, "image_format_enforcement": False,
        },
        "scenario": {"img_file": prepared.image_file or "", "img_disk_format": "qcow2",
                     "dhcp_client": "udhcpc"},
    }  # fmt: skip


def _people(prepared: Prepared) -> dict[str, dict[str, Any]]:
    domain = dict.fromkeys(
        ("admin_domain_name", "admin_user_domain_name", "admin_project_domain_name",
         "default_credentials_domain_name"), "Default",
    )  # fmt: skip
    return {
        "auth": {
            "use_dynamic_credentials": True, "create_isolated_networks": True,
            "admin_username": "tempest", "admin_password": prepared.password,
            "admin_project_name": "tempest", "admin_system": "all", **domain,
        },
        "identity": {
            "uri_v3": prepared.auth_url, "auth_version": "v3", "region": "RegionOne",
            "v3_endpoint_type": "public", "ca_certificates_file": prepared.ca,
            "user_lockout_failure_attempts": STRICT.lockout_failure_attempts,
            "user_lockout_duration": STRICT.lockout_duration,
            "user_unique_last_password_count": STRICT.unique_last_password_count,
        },
        "identity-feature-enabled": {
            "trust": True, "application_credentials": True, "access_rules": True,
            "project_tags": True, "security_compliance": True, "immutable_user_source": False,
        },
    }  # fmt: skip


def _machines(prepared: Prepared) -> dict[str, dict[str, Any]]:
    return {
        "compute": {
            "image_ref": prepared.images[0], "image_ref_alt": prepared.images[1],
            "flavor_ref": prepared.flavors[0], "flavor_ref_alt": prepared.flavors[1],
            "min_compute_nodes": SIMULATED_HOSTS, "build_timeout": 300, "build_interval": 1,
            "min_microversion": "2.1", "max_microversion": prepared.microversion,
        },
        "compute-feature-enabled": {
            "dhcp_domain": "",  # nothing is added to a name that has a domain
            **dict.fromkeys(
                ("resize", "snapshot", "pause", "suspend", "shelve", "rescue", "stable_rescue",
                 "console_output", "config_drive", "metadata_service", "interface_attach",
                 "vnc_console", "serial_console", "enable_instance_password", "change_password",
                 "hostname_fqdn_sanitization"), True,
            ),
            **dict.fromkeys(
                ("cold_migration", "live_migration", "spice_console", "personality",
                 "swap_volume", "ide_bus"), False,
            ),
        },
        "validation": {
            "run_validation": prepared.guests, "connect_method": "floating",
            "auth_method": "keypair", "image_ssh_user": "cirros",
            "image_alt_ssh_user": "cirros", "network_for_ssh": "public",
            "ping_timeout": 120, "ssh_timeout": 300,
            "connect_timeout": 60, "ssh_key_type": "ecdsa",
        },
    }  # fmt: skip


def _networks(prepared: Prepared) -> dict[str, dict[str, Any]]:
    listed = ",".join(prepared.extensions)
    return {
        "network": {
            "public_network_id": prepared.external, "floating_network_name": "public",
            "project_network_cidr": "10.100.0.0/16", "project_network_mask_bits": 28,
        },
        "network-feature-enabled": {
            "api_extensions": listed, "ipv6": True, "ipv6_subnet_attributes": True,
            "floating_ips": True, "port_admin_state_change": True,
            "port_security": "port-security" in prepared.extensions,
        },
    }  # fmt: skip
