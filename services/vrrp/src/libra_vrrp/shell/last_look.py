"""A last look at the fence before anything goes out: a process can be stopped at any moment."""

from typing import Final

from libra_vrrp.codec import Datagram
from libra_vrrp.shell.pulse import Routing

_PRIORITY: Final = slice(2, 3)
"""Where a message of either version says its priority (RFC 9568 section 5.1)."""


def may_say(one: Routing | None, datagram: Datagram, now: float) -> bool:
    """Say whether a router may send this: past its fence only that it gives up, or no message."""
    if one is None or now < one.held_until:
        return True
    return datagram.message[_PRIORITY] in {b"", b"\0"}
