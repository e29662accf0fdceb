"""The rows of `POST /servers/{id}/action`, told apart by the one key of their body."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from andromede.http.access import ADMIN, PROJECT_MANAGER, PROJECT_MEMBER, Rule
from andromede.http.context import Context
from andromede.http.operation import Operation, Transaction
from andromede.services.compute.servers import delete
from andromede.services.compute.servers.actions import (
    console,
    custody,
    freeze,
    groups,
    operators,
    password,
    power,
    rebuild,
    rescue,
    resize,
    shelve,
    snapshot,
)
from andromede.services.compute.servers.schema import (
    AddAddressBody,
    AddGroupBody,
    BackupBody,
    ConsoleBody,
    CrashDumpBody,
    EvacuateBody,
    ImageBody,
    LiveBody,
    LockBody,
    MigrateBody,
    PasswordBody,
    RebootBody,
    RebuildBody,
    RemoveAddressBody,
    RemoveGroupBody,
    RescueBody,
    ResetBody,
    ResizeBody,
    UnshelveBody,
)  # fmt: skip

Handler = Callable[[Context], Any]


def _act(
    key: str, handler: Handler, verb: str, body: Any = None, allow: Rule = PROJECT_MEMBER,
    **more: Any,
) -> Operation:  # fmt: skip
    return Operation(
        method="POST", path="/v2.1/servers/{id}/action", key=key, handler=handler,
        action=f"compute:server:{verb}", allow=allow, body=body,
        **{"status": 202, **more},
    )  # fmt: skip


OPERATIONS = [
    _act("os-start", power.start, "start"),
    _act("os-stop", power.stop, "stop"),
    _act("reboot", power.reboot, "reboot", RebootBody),
    _act("pause", freeze.pause, "pause"),
    _act("unpause", freeze.unpause, "unpause"),
    _act("suspend", freeze.suspend, "suspend"),
    _act("resume", freeze.resume, "resume"),
    _act("rebuild", rebuild.rebuild, "rebuild", RebuildBody, places="create",
         reveals="access"),
    _act("resize", resize.resize, "resize", ResizeBody),
    _act("confirmResize", resize.confirm, "confirm-resize", status=204),
    _act("revertResize", resize.revert, "revert-resize"),
    _act("createImage", snapshot.create_image, "create-image", ImageBody, places="copy"),
    _act("createBackup", snapshot.create_backup, "create-backup", BackupBody, places="copy"),
    _act("rescue", rescue.rescue, "rescue", RescueBody, status=200, places="create",
         reveals="disk"),
    _act("unrescue", rescue.unrescue, "unrescue"),
    _act("shelve", shelve.shelve, "shelve", places="copy"),
    _act("shelveOffload", shelve.offload, "shelve-offload", allow=ADMIN),
    _act("unshelve", shelve.unshelve, "unshelve", UnshelveBody, places="move"),
    _act("migrate", operators.migrate, "migrate", MigrateBody, PROJECT_MANAGER),
    _act("os-migrateLive", operators.live_migrate, "live-migrate", LiveBody, PROJECT_MANAGER),
    _act("evacuate", operators.evacuate, "evacuate", EvacuateBody, ADMIN, status=200),
    _act("trigger_crash_dump", operators.crash_dump, "crash-dump", CrashDumpBody, since=(2, 17)),
    _act("resetNetwork", operators.reset_network, "reset-network", allow=ADMIN),
    _act("injectNetworkInfo", operators.inject_network, "inject-network", allow=ADMIN),
    _act("changePassword", password.change, "change-password", PasswordBody, places="expose",
         reveals="access", prepare=password.seal),
    _act("addFixedIp", operators.add_fixed_ip, "add-address", AddAddressBody, until=(2, 43)),
    _act("removeFixedIp", operators.remove_fixed_ip, "remove-address", RemoveAddressBody,
         until=(2, 43)),
    _act("lock", custody.lock, "lock", LockBody),
    _act("unlock", custody.unlock, "unlock"),
    _act("os-resetState", custody.reset_state, "reset-state", ResetBody, ADMIN),
    _act("forceDelete", custody.force_delete, "force-delete"),
    _act("restore", delete.restore, "restore"),
    _act("addSecurityGroup", groups.add, "add-group", AddGroupBody),
    _act("removeSecurityGroup", groups.remove, "remove-group", RemoveGroupBody),
    _act("os-getConsoleOutput", console.output, "console-output", ConsoleBody, status=200,
         reveals="output", transaction=Transaction.OWN),
]  # fmt: skip
