"""What comes in on a socket, handed to the virtual router that it is for."""

from dataclasses import replace
from typing import assert_never

from libra_vrrp.codec import Datagram, MalformedAdvertisement, Reason, Received, decode
from libra_vrrp.orders import Multicast, Unicast
from libra_vrrp.rtnetlink import IpAddress
from libra_vrrp.seal.datagram import QUESTION, is_sealed, tag_of
from libra_vrrp.seal.outcome import Dropped, Opened, alarm
from libra_vrrp.seal.outcome import Reason as SealReason
from libra_vrrp.shell.asking import speak
from libra_vrrp.shell.ground import Ground
from libra_vrrp.shell.link import Link
from libra_vrrp.shell.roster import Roster
from libra_vrrp.shell.virtual_router import VirtualRouter
from libra_vrrp.states import Master

_KIND = {
    Reason.CHECKSUM: "checksum",
    Reason.AUTH_TYPE: "auth",
    Reason.AUTH_DATA: "auth",
}
"""Alarms by reason; any other is `malformed`."""


def hear(link: Link, roster: Roster, ground: Ground, now: float) -> None:
    """Take what waits on a socket; whatever is wrong is counted and changes nothing."""
    for datagram in link.receive():
        if _is_heard_elsewhere(datagram.destination, link, roster):
            continue
        ground.count("received")
        match datagram:
            case Datagram():
                _take(datagram, link, roster, ground, now)
            case MalformedAdvertisement(source=source):
                _refuse(datagram, source, link, roster, ground)
            case _:
                assert_never(datagram)


def _is_heard_elsewhere(to: IpAddress | None, link: Link, roster: Roster) -> bool:
    """Say whether it was said to an address of ours whose socket has it too, beside the group's."""
    if to is None or to.is_multicast or link.channel == Unicast(to):
        return False
    return any(one.order.channel == Unicast(to) for one in roster)


def _take(datagram: Datagram, link: Link, roster: Roster, ground: Ground, now: float) -> None:
    try:
        if is_sealed(datagram.message):
            _unseal(datagram, link, roster, ground, now)
        else:
            _hand_over(decode(datagram), link, roster, ground, now)
    except MalformedAdvertisement as wrong:
        _refuse(wrong, datagram.source, link, roster, ground)


def _unseal(datagram: Datagram, link: Link, roster: Roster, ground: Ground, now: float) -> None:
    """Open a sealed datagram and hand over what it hides, or count and tell what is wrong."""
    tag = tag_of(datagram.message)
    name = ground.seals.named(tag)
    one = None if name is None else roster.get(name)
    if one is None or one.order.channel != link.channel:
        ground.count("sealed_unknown")
        ground.seals.passed_by(tag, now)
        return
    outcome = ground.seals.open(one.order, datagram, now)
    match outcome:
        case Opened(message=message) if message:
            _take_opened(replace(datagram, message=message), one, ground, now)
        case Dropped(reason=reason):
            _drop(reason, datagram.source, one, ground)
            if reason is SealReason.KEY:
                ground.seals.passed_by(tag, now)
        case Opened() | None:
            pass
        case _:
            assert_never(outcome)
    if outcome is not None and outcome.hurry:
        speak(one, ground)


def _take_opened(datagram: Datagram, one: VirtualRouter, ground: Ground, now: float) -> None:
    """Take what was hidden: an advert, or the question whether the master is there."""
    if datagram.message == QUESTION:
        if isinstance(one.state, Master):
            speak(one, ground)
        return
    received = decode(datagram)
    if received.advertisement.vrid == one.order.vrid:
        _give(received, one, ground, now)
    else:
        _drop(SealReason.CONTENT, datagram.source, one, ground)


def _drop(reason: SealReason, source: IpAddress, one: VirtualRouter, ground: Ground) -> None:
    """Count what has no effect, and raise the alarm that it deserves."""
    ground.count(f"sealed_{reason}")
    raised = alarm(reason)
    if raised is not None:
        ground.alarm(one.order.name, raised[0], source, raised[1], reason)


def _hand_over(received: Received, link: Link, roster: Roster, ground: Ground, now: float) -> None:
    """Give it to its router, unless that one speaks from another of our addresses."""
    vrid, to = received.advertisement.vrid, received.destination
    one = _about(vrid, link, roster)
    if one is None:
        ground.count("unknown_vrid")
        return
    if one.order.channel != link.channel and not to.is_multicast:
        raise MalformedAdvertisement(Reason.UNICAST, f"sent to {to}", vrid)
    if one.order.seal is not None and one.order.seal.is_required:
        _drop(SealReason.PLAIN, received.source, one, ground)
        return
    _give(received, one, ground, now)


def _about(vrid: int, link: Link, roster: Roster) -> VirtualRouter | None:
    """Return which router a vrid means there; to one of our addresses also one of a group."""
    one = roster.at(link.channel, vrid)
    if one is not None or isinstance(link.channel, Multicast):
        return one
    same = (each for each in roster if each.order.family == link.channel.family)
    return next((each for each in same if each.order.vrid == vrid), None)


def _give(received: Received, one: VirtualRouter, ground: Ground, now: float) -> None:
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
    """Count what was wrong, and raise an alarm for whom of ours it was about.

    Where nobody can tell, one who is spoken to there stands for all.
    """
    ground.count(f"malformed_{wrong.reason}")
    kind, detail = _KIND.get(wrong.reason, "malformed"), str(wrong)
    if wrong.vrid is not None:
        one = _about(wrong.vrid, link, roster)
    else:
        one = next((each for each in roster if each.order.channel == link.channel), None)
        detail = f"{detail}, for whom it was cannot be told"
    if one is not None:
        ground.alarm(one.order.name, kind, source, detail, wrong.reason)
