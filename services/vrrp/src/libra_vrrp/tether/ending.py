"""How a connection ended, as the kernel says it.

One rule: only the other end's own word counts, its FIN or its RST, and only once a reconnect was
refused. Silence, a way that is gone and what we did ourselves say nothing about the other process.
"""

import errno
from enum import Enum
from typing import Final


class Ending(Enum):
    """What the kernel said."""

    FIN = "fin"
    """The other end closed: end of file. To be asked once more, as anybody there can connect."""
    RST = "rst"
    """The other end, or somebody between, reset it: to be asked once more."""
    LOST = "lost"
    """It timed out, the way is gone, or it was ended on this host."""


class Attempt(Enum):
    """What became of connecting."""

    REFUSED = "refused"
    """The other host lives and nobody listens there."""
    FAILED = "failed"
    """Nobody answered, or somebody between said no."""


_RESET: Final = frozenset({errno.ECONNRESET, errno.EPIPE})


def ending(error: int | None) -> Ending:
    """Classify the `error` of reading or writing (errno(3)); None is the end of file.

    ECONNABORTED is what `ss -K` on this host leaves; ETIMEDOUT is that of tcp(7)'s timers too.
    """
    if error is None:
        return Ending.FIN
    return Ending.RST if error in _RESET else Ending.LOST


def attempt(error: int) -> Attempt:
    """Classify the `error` of connecting (connect(2)); a firewall's reset is one of the host."""
    return Attempt.REFUSED if error == errno.ECONNREFUSED else Attempt.FAILED
