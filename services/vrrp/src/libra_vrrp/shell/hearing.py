"""What comes in on a socket, handed to the virtual router that it is for."""

from libra_vrrp.codec import Datagram, MalformedAdvertisement, Reason, Received, decode
from libra_vrrp.rtnetlink import IpAddress
from libra_vrrp.shell.ground import Ground
from libra_vrrp.shell.link import Link
from libra_vrrp.shell.roster import Roster
from libra_vrrp.shell.virtual_router import VirtualRouter

_KIND = {
    Reason.CHECKSUM: "checksum",
    Reason.AUTH_TYPE: "auth",
    Reason.AUTH_DATA: "auth",
}
"""Alarms by reason; any other is `malformed`."""


def hear(link: Link, roster: Roster, ground: Ground, now: float) -> None:
    """Take what waits on a socket; whatever is wrong is counted and changes nothing."""
    for datagram in link.receive():
        ground.count("received")
        match datagram:
            case Datagram():
                _take(datagram, link, roster, ground, now)
            case MalformedAdvertisement():
                _refuse(datagram, None, link, roster, ground)


def _take(datagram: Datagram, link: Link, roster: Roster, ground: Ground, now: float) -> None:
    try:
        received = decode(datagram)
        _hand_over(received, link, roster, ground, now)
    except MalformedAdvertisement as wrong:
        _refuse(wrong, datagram.source, link, roster, ground)


def _hand_over(received: Received, link: Link, roster: Roster, ground: Ground, now: float) -> None:
    """Give it to its router; what was said to one of our addresses is read on that channel."""
    one = roster.at(link.channel, received.advertisement.vrid)
    if one is None:
        ground.count("unknown_vrid")
        return
    if one.order.channel != link.channel and not received.destination.is_multicast:
        return
    if received.checksum is not None:
        ground.count(f"checksum_{received.checksum}")
    if _is_own(received.source, one, ground):
        ground.count("own_address")
        ground.alarm(one.order.name, "own-address", received.source, "sent from our own address")
        return
    one.hear(received, now)


def _is_own(source: IpAddress, one: VirtualRouter, ground: Ground) -> bool:
    """Say whether it came back to us.

    A virtual address is its owner's, wherever we hold it too; a link-local one may be anybody's.
    """
    if source == one.router.address:
        return True
    shared = source in ground.virtual or source.is_link_local
    return not shared and bool(ground.interfaces.holders(source))


def _refuse(
    wrong: MalformedAdvertisement,
    source: IpAddress | None,
    link: Link,
    roster: Roster,
    ground: Ground,
) -> None:
    """Count what was wrong, and raise an alarm for whom of ours it was about."""
    ground.count(f"malformed_{wrong.reason}")
    kind = _KIND.get(wrong.reason, "malformed")
    about = roster.on(link.channel)
    if wrong.vrid is not None:
        one = roster.at(link.channel, wrong.vrid)
        about = [] if one is None else [one]
    for one in about:
        ground.alarm(one.order.name, kind, source, str(wrong))
