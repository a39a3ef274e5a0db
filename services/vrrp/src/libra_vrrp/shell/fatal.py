"""What a thread cannot go on from ends the process: its guard clears up and starts the next."""

import os
import sys
import traceback
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, Final, ParamSpec, TypeVar

from libra_runtime.outlet import LAST_WORDS, Outlet
from libra_vrrp.shell.say import log

FAILED: Final = 1
"""The exit status, that of Python for an exception."""

P = ParamSpec("P")
S = TypeVar("S")


def fatal(work: Callable[Concatenate[S, P], None]) -> Callable[Concatenate[S, P], None]:
    """Have an exception in a thread's `work` end the process at once, with its reason in the log.

    Nobody waits for a thread that died: adverts would go on, and what it does would not.
    """

    @wraps(work)
    def guarded(self: S, /, *arguments: P.args, **named: P.kwargs) -> None:
        try:
            work(self, *arguments, **named)
        except BaseException as wrong:  # noqa: BLE001 - whatever it is, nothing goes on without it
            where = "".join(traceback.format_tb(wrong.__traceback__)[-1:]).strip()
            log("a thread failed, the process ends", "error", why=repr(wrong), where=where)
            if isinstance(sys.stderr, Outlet):
                sys.stderr.drain(LAST_WORDS)
            os._exit(FAILED)

    return guarded
