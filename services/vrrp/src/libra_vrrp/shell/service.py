"""The composition root: the settings read, the capabilities looked at, the guard at work."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from libra_vrrp.settings import HELP, from_environment
from libra_vrrp.shell.guard import Guard
from libra_vrrp.shell.privileges import MACHINE, lacking, shelter, urgent
from libra_vrrp.shell.say import begin


def main(arguments: list[str]) -> None:
    """Run the guard; a wrong setting, or a wrong config file, is told and exit status 1.

    What it may not have in urgency the machine may not have either, and says so.
    """
    if {"--help", "-h"} & set(arguments):
        sys.stdout.write(HELP)
        return
    try:
        settings = from_environment(arguments)
        settings.state.mkdir(parents=True, exist_ok=True)
    except (ValueError, OSError) as wrong:
        sys.exit(f"libra-vrrp: {wrong}")
    os.environ["LIBRA_NODE"] = settings.node
    if (config := settings.config) is not None:
        settings = replace(settings, config=config.absolute())
        _require_sound(config.absolute())
    trouble = lacking(MACHINE)
    if trouble is not None:
        from libra_vrrp.shell.standing_by import stand_by  # noqa: PLC0415 - slow, seldom needed

        begin()
        stand_by(trouble)
    shelter()
    urgent(above=1)  # before the log's thread is there, whose stack would be locked whole
    begin()
    Guard(settings).run()


def _require_sound(config: Path) -> None:
    """Have a process of its own look at the file, and end with its status where it is wrong.

    It imports what the guard must not.
    """
    status = subprocess.call([sys.executable, "-m", "libra_vrrp", "prepare", str(config)])
    if status != 0:
        sys.exit(status)
