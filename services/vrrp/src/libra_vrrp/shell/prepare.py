"""The config file looked at before anything is started: who starts with a wrong one is told so."""

import os
import sys
from dataclasses import replace
from pathlib import Path

from libra_runtime.kept import keep
from libra_runtime.settings import Edge
from libra_schemas.errors import ConfigError, LibraError
from libra_vrrp import kept
from libra_vrrp.orders import Instance
from libra_vrrp.settings import CONFIG, Settings, from_environment
from libra_vrrp.shell.file_intake import config_in
from libra_vrrp.shell.privileges import REPORTER, lacking
from libra_vrrp.shell.quarters import explained, list_mode, move_in
from libra_vrrp.shell.say import log
from libra_vrrp.shell.secret import UnusableSecret, read_secrets
from libra_vrrp.wanted import instances


def main(arguments: list[str]) -> None:
    """Keep for the machine what a file makes of this node: CONFIG-FILE; end with 78 if it is wrong.

    It is read as the user who will read it again. What may be better at another start ends with 1.
    """
    (file,) = arguments
    settings = from_environment([])
    try:
        edge = replace(Edge.from_environment("vrrp"), seed_file=None, metrics_port=0)
        may_leave_root = lacking(REPORTER) is None or os.geteuid() == settings.uid
        move_in(edge, settings.directory, settings.uid if may_leave_root else os.geteuid())
        found = _routers(Path(file), settings)
    except (OSError, UnusableSecret) as refused:
        sys.exit(_told(refused))
    except LibraError as wrong:
        sys.stderr.write(f"{_told(wrong)}\n")
        sys.exit(CONFIG)
    if not found:
        log("the config gives this node no instance", "warning", file=file)
    try:
        keep(Path(settings.routers.name), kept.dump_instances(found), list_mode())
    except OSError as full:
        log("the routers cannot be kept yet", "warning", why=explained(full))


def _routers(file: Path, settings: Settings) -> tuple[Instance, ...]:
    config = config_in(file, settings.node)
    return instances(config, settings.node, read_secrets(config, settings.node))


def _told(wrong: Exception) -> str:
    """Say all that is wrong, as `libra check` does."""
    if isinstance(wrong, ConfigError):
        count = len(wrong.problems)
        return f"{wrong}\n{count} error{'' if count == 1 else 's'}; nothing started"
    return f"libra-vrrp: {explained(wrong)}"
