"""The life of a server's machine: the steps between what its row wants and what the host runs."""

from andromede.services.compute.servers.steps import (
    build,
    freeze,
    password,
    power,
    rebuild,
    removal,
    rescue,
    resize,
    shelve,
    snapshot,
    sync,
)
from andromede.services.compute.servers.steps.failure import fail
from andromede.work import Lifecycle

LIFECYCLE = Lifecycle(
    kind="server",
    steps={
        **build.STEPS,
        **power.STEPS,
        **freeze.STEPS,
        **rebuild.STEPS,
        **resize.STEPS,
        **snapshot.STEPS,
        **rescue.STEPS,
        **password.STEPS,
        **shelve.STEPS,
        **removal.STEPS,
        **sync.STEPS,
    },
    fail=fail,
    doc="a server's machine: build, stop, start, reboot, remove, and what the guest did itself",
)
