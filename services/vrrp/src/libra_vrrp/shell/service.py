"""The composition root: the settings read, the capabilities looked at, the guard at work."""

import os
import signal
import sys
import time
from dataclasses import dataclass, replace
from typing import Final

from libra_runtime.outlet import LAST_WORDS, Outlet
from libra_vrrp.bequest import NEVER, Bequest
from libra_vrrp.settings import CONFIG, HELP, Settings, from_environment
from libra_vrrp.shell import bequests
from libra_vrrp.shell.guard import Guard
from libra_vrrp.shell.looking import Looking
from libra_vrrp.shell.mark import Mark
from libra_vrrp.shell.privileges import MACHINE, lacking, shelter, urgent
from libra_vrrp.shell.say import begin, closed, log
from libra_vrrp.shell.sole import Lock
from libra_vrrp.shell.waiting import hold
from libra_vrrp.unclean import unclean_at

_AGAIN: Final = "LIBRA_VRRP_AGAIN"
"""Names the process that starts again in place, to itself: what it goes on by was sound once."""
_CARRIED: Final = "LIBRA_VRRP_UNCLEAN_AT"
"""Tells it when the service began that followed an unclean exit: it may have nothing to leave."""


@dataclass(frozen=True, slots=True)
class _Entered:
    """The state directory is ours; `bequest` is what was left there for us.

    `carried` is when the service began that followed an unclean exit, as this very process knew
    before it started again in place.
    """

    lock: Lock
    bequest: Bequest | None
    is_planned: bool
    carried: float


def main(arguments: list[str]) -> None:
    """Run the guard; a wrong setting, or a wrong config file, is told with `CONFIG` as status.

    What it may not have in urgency the machine may not have either, and says so.
    """
    if {"--help", "-h"} & set(arguments):
        sys.stdout.write(HELP)
        return
    hold()
    settings = _settings(arguments)
    entered = _enter(settings)
    _require_capabilities()
    shelter()
    urgent(above=1)  # before the log's thread is there, whose stack would be locked whole
    begin()
    _work(settings, entered)


def _settings(arguments: list[str]) -> Settings:
    """Read the settings; the node's name is known to all that we start."""
    try:
        settings = from_environment(arguments)
    except ValueError as wrong:
        sys.stderr.write(f"libra-vrrp: {wrong}\n")
        sys.exit(CONFIG)
    os.environ["LIBRA_NODE"] = settings.node
    config = settings.config
    return settings if config is None else replace(settings, config=config.absolute())


def _enter(settings: Settings) -> _Entered:
    """Have the state directory to ourselves, and know whether this start was planned.

    A start that was not looks at the config file first: a wrong one ends it, and leaves no trace.
    What it found is forgotten where it has to wait: by then the file may say something else.
    """
    is_again = os.environ.pop(_AGAIN, None) == str(os.getpid())
    carried = float(os.environ.pop(_CARRIED, NEVER)) if is_again else NEVER
    config = settings.config
    is_left = is_again or os.path.lexists(settings.bequest)
    looks = [] if config is None or is_left else [Looking(config)]

    def forget() -> None:
        while looks:
            looks.pop().end(is_kept=False)

    try:
        settings.state.mkdir(parents=True, exist_ok=True)
    except OSError as refused:
        sys.exit(f"libra-vrrp: {closed(refused)}")
    lock = Lock(settings.lock, forget)
    bequest = bequests.take(settings.bequest)
    is_planned = is_again or bequest is not None
    if config is not None and not is_planned and not looks:
        looks.append(Looking(config))
    for looking in looks:
        looking.end(is_kept=not is_planned)
    return _Entered(lock, bequest, is_planned, carried)


def _require_capabilities() -> None:
    """Stand by where there are none that the machine needs: say so until a signal ends us."""
    if (trouble := lacking(MACHINE)) is not None:
        from libra_vrrp.shell.standing_by import stand_by  # noqa: PLC0415 - slow, seldom needed

        begin()
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        stand_by(trouble)


def _work(settings: Settings, entered: _Entered) -> None:
    """Guard, until told to end; what this service does not end in order the next one learns."""
    bequest, lock = entered.bequest, entered.lock
    mark = Mark(settings.mark)
    is_marked = mark.is_found and not entered.is_planned
    now = time.monotonic()
    began = unclean_at(bequest, now, is_marked=is_marked, carried=entered.carried)
    if is_marked:
        log("the service before this one did not end in order", "warning")
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
