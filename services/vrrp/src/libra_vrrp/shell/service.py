"""The composition root: the settings read, the capabilities looked at, the guard at work."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

from libra_runtime.outlet import LAST_WORDS, Outlet
from libra_vrrp.bequest import NEVER, Bequest
from libra_vrrp.settings import CONFIG, HELP, Settings, from_environment
from libra_vrrp.shell import bequests
from libra_vrrp.shell.guard import Guard
from libra_vrrp.shell.mark import Mark
from libra_vrrp.shell.privileges import MACHINE, lacking, ordinary, shelter, urgent
from libra_vrrp.shell.say import begin, log
from libra_vrrp.shell.sole import Lock
from libra_vrrp.shell.waiting import hold
from libra_vrrp.unclean import unclean_at

_AGAIN: Final = "LIBRA_VRRP_AGAIN"
"""Names the process that starts again in place, to itself: what it goes on by was sound once."""
_CARRIED: Final = "LIBRA_VRRP_UNCLEAN_AT"
"""Tells it when the service began that followed an unclean exit: it may have nothing to leave."""


def main(arguments: list[str]) -> None:
    """Run the guard; a wrong setting, or a wrong config file, is told with `CONFIG` as status.

    What it may not have in urgency the machine may not have either, and says so.
    """
    if {"--help", "-h"} & set(arguments):
        sys.stdout.write(HELP)
        return
    hold()
    settings = _settings(arguments)
    lock = Lock(settings.lock)
    bequest = bequests.take(settings.bequest)
    is_again = os.environ.pop(_AGAIN, None) == str(os.getpid())
    carried = float(os.environ.pop(_CARRIED, NEVER)) if is_again else NEVER
    is_planned = is_again or bequest is not None
    if (config := settings.config) is not None:
        settings = replace(settings, config=config.absolute())
        if not is_planned:
            _require_sound(config.absolute())
    _require_capabilities()
    shelter()
    urgent(above=1)  # before the log's thread is there, whose stack would be locked whole
    begin()
    mark = Mark(settings.mark)
    is_marked = mark.is_found and not is_planned
    began = unclean_at(bequest, time.monotonic(), is_marked=is_marked, carried=carried)
    if is_marked:
        log("the service before this one did not end in order", "warning")
    _work(settings, bequest, began, lock, mark)


def _settings(arguments: list[str]) -> Settings:
    """Read the settings; the node's name is known to all that we start."""
    try:
        settings = from_environment(arguments)
        settings.state.mkdir(parents=True, exist_ok=True)
    except OSError as refused:
        sys.exit(f"libra-vrrp: {refused}")
    except ValueError as wrong:
        sys.stderr.write(f"libra-vrrp: {wrong}\n")
        sys.exit(CONFIG)
    os.environ["LIBRA_NODE"] = settings.node
    return settings


def _require_capabilities() -> None:
    """Stand by where there are none that the machine needs: say so until a signal ends us."""
    if (trouble := lacking(MACHINE)) is not None:
        from libra_vrrp.shell.standing_by import stand_by  # noqa: PLC0415 - slow, seldom needed

        begin()
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        stand_by(trouble)


def _work(
    settings: Settings, bequest: Bequest | None, began: float, lock: Lock, mark: Mark
) -> None:
    """Guard, until told to end; what this service does not end in order the next one learns."""
    mark.put()
    guard = Guard(settings, bequest, began, mark.lift)
    if guard.run():
        _start_again(guard, began, lock, mark)
    mark.lift()


def _start_again(guard: Guard, began: float, lock: Lock, mark: Mark) -> None:
    """Become what is installed now; signals wait until it hears them.

    Who was told to end while it left does so.
    """
    log("starting again in place")
    if isinstance(sys.stderr, Outlet):
        sys.stderr.drain(LAST_WORDS)
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    if guard.is_taken_back():
        return
    lock.carry()
    try:
        environment = os.environ | {_AGAIN: str(os.getpid()), _CARRIED: str(began)}
        os.execve(sys.executable, sys.orig_argv, environment)  # noqa: S606 - this very program
    except OSError as refused:
        guard.take_back()
        mark.lift()
        sys.exit(f"libra-vrrp: cannot start again: {sys.executable}: {refused.strerror}")


def _require_sound(config: Path) -> None:
    """Have a process of its own look at the file, and end with its status where it is wrong.

    It imports what the guard must not, and is in no hurry.
    """
    with subprocess.Popen([sys.executable, "-m", "libra_vrrp", "prepare", str(config)]) as looking:
        ordinary(looking.pid)
        status = looking.wait()
    if status != 0:
        sys.exit(status)
