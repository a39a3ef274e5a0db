"""A last look at the fence before anything goes out: a process can be stopped at any moment."""

from libra_vrrp.codec import Datagram
from libra_vrrp.shell.pulse import Routing
from libra_vrrp.states import Master
from libra_vrrp.vmac import PRIORITY, bears


def may_say(one: Routing | None, datagram: Datagram, now: float) -> bool:
    """Say whether a router may send this: past its fence only that it gives up, or no message."""
    if one is None or now < one.held_until:
        return True
    return datagram.message[PRIORITY] in {b"", b"\0"}


def veiled(one: Routing | None, datagram: Datagram, now: float) -> bool:
    """Say whether this goes out from the virtual MAC: a master's, while nobody else can be one."""
    if one is None or one.order.vmac is None or one.order.vmac.xmit_base:
        return False
    return now < one.held_until and bears(datagram, master=isinstance(one.state, Master))
