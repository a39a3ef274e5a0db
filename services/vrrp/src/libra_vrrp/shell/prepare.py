"""The config file looked at before anything is made: who starts with a wrong one is told so."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

from libra_runtime.kept import keep
from libra_runtime.settings import Edge
from libra_schemas.errors import ConfigError, LibraError
from libra_vrrp import kept
from libra_vrrp.settings import CONFIG, Settings, from_environment
from libra_vrrp.shell.file_intake import config_in
from libra_vrrp.shell.privileges import REPORTER, become, lacking
from libra_vrrp.shell.quarters import explained, fetch_late, list_mode, move_in
from libra_vrrp.shell.say import log
from libra_vrrp.shell.secret import UnusableSecret, read_secrets
from libra_vrrp.wanted import instances

SOUND: Final = "sound\n"
"""What is said of a file that can be held; whoever answers with a line has it kept."""


def main(arguments: list[str]) -> None:
    """Say `SOUND` of CONFIG-FILE, or end with 78; once answered keep what it makes of this node.

    What may be better at another start ends with 1. Nothing is made or changed before the answer.
    """
    (file,) = arguments
    settings = from_environment([])
    may_leave_root = lacking(REPORTER) is None or os.geteuid() == settings.uid
    uid = settings.uid if may_leave_root else os.geteuid()
    fetch_late()
    found = _looked_at(Path(file), settings, uid)
    sys.stdout.write(SOUND)
    sys.stdout.flush()
    if not sys.stdin.readline():
        return
    try:
        edge = replace(Edge.from_environment("vrrp"), seed_file=None, metrics_port=0)
        move_in(edge, settings.directory, uid)
    except OSError as refused:
        sys.exit(_told(refused))
    try:
        keep(Path(settings.routers.name), found, list_mode())
    except OSError as full:
        log("the routers cannot be kept yet", "warning", why=explained(full))


def _looked_at(file: Path, settings: Settings, uid: int) -> bytes:
    """Return the routers in a file as they are kept, or end with the status of what is wrong.

    It is read as the user who will read it again, by a process that gives up root for that.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        become(uid)
        os._exit(_look(file, settings, writing))
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        found = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status != 0:
        sys.exit(status)
    return found


def _look(file: Path, settings: Settings, into: int) -> int:
    """Write the routers in a file to a descriptor; return the exit status, what is wrong is told.

    Of a NATS server there is no need here, but where it is named wrongly nothing would start.
    """
    try:
        Edge.from_environment("vrrp")
        config = config_in(file, settings.node)
        found = instances(config, settings.node, read_secrets(config, settings.node))
    except (OSError, UnusableSecret) as refused:
        sys.stderr.write(f"{_told(refused)}\n")
        return 1
    except LibraError as wrong:
        sys.stderr.write(f"{_told(wrong)}\n")
        return CONFIG
    if not found:
        log("the config gives this node no instance", "warning", file=str(file))
    with os.fdopen(into, "wb") as pipe:
        pipe.write(kept.dump_instances(found))
    return 0


def _told(wrong: Exception) -> str:
    """Say all that is wrong, as `libra check` does."""
    if isinstance(wrong, ConfigError):
        count = len(wrong.problems)
        return f"{wrong}\n{count} error{'' if count == 1 else 's'}; nothing started"
    return f"libra-vrrp: {explained(wrong)}"
