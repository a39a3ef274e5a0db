"""One virtual router's sealed conversation: what it says, and what it makes of what it hears.

One rule: state in, state out; the challenge is random octets and `now` monotonic seconds that the
shell brings. A counter is spent before its datagram exists, so none seals twice.
"""

from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from libra_vrrp.seal.datagram import (
    COUNTERS,
    Header,
    Inside,
    MalformedSeal,
    Session,
    decode,
    decode_inside,
    encode_inside,
)
from libra_vrrp.seal.hearing import Hearing, Stand, Verdict, echoes, issue, judge
from libra_vrrp.seal.reasons import Reason, of_stand
from libra_vrrp.seal.ring import Ring

CLOSEST: Final = 0.05
"""Seconds between two challenges at least, however short the interval."""
_HURRIES: Final = 4
"""Datagrams in a period that newcomers can bring us to send beside the regular ones."""


@dataclass(frozen=True, slots=True)
class Channel:
    """Our session, the counter to be spent next, and what we heard; times are monotonic."""

    own: Session
    period: float
    due_at: float
    hearing: Hearing = field(default_factory=Hearing)
    counter: int = 0
    calm_at: float = float("-inf")


@dataclass(frozen=True, slots=True)
class Opened:
    """A fresh datagram of `session`; `message` is a VRRP message, or empty.

    Where it `is_first_proof`, the session's start is to be remembered. `hurry`: say something now,
    a master its advert and everyone else a challenge.
    """

    message: bytes
    session: Session
    is_first_proof: bool
    hurry: bool


@dataclass(frozen=True, slots=True)
class Dropped:
    """A datagram without effect, unless it is a reason to `hurry`."""

    reason: Reason
    hurry: bool = False


Outcome: TypeAlias = Opened | Dropped


def begin(own: Session, interval: float, now: float) -> Channel:
    """Begin a conversation; `interval` is that of the adverts in seconds."""
    return Channel(own, max(interval, CLOSEST), now)


def retime(channel: Channel, interval: float) -> Channel:
    """Go on with another interval of the adverts."""
    return replace(channel, period=max(interval, CLOSEST))


def wrap(
    channel: Channel, ring: Ring, source: bytes, message: bytes, challenge: bytes, now: float
) -> tuple[Channel, bytes]:
    """Return the datagram that hides `message`, or that only challenges where it is empty.

    `source` is the packed address it is sent from; `challenge` is used if another one is due soon.
    Raise `OverflowError` after 2**64 datagrams.
    """
    if channel.counter >= COUNTERS:
        raise OverflowError("every counter of this session is spent")
    if now >= channel.due_at - channel.period / 2:
        hearing = issue(channel.hearing, challenge)
        channel = replace(channel, hearing=hearing, due_at=now + channel.period)
    hearing = channel.hearing
    header = ring.header(channel.own, channel.counter)
    inside = encode_inside(Inside(hearing.mine[-1], echoes(hearing), message))
    spent = replace(channel, counter=channel.counter + 1)
    return spent, ring.seal(header, source, inside)


def unwrap(
    channel: Channel, ring: Ring, source: bytes, datagram: bytes, highest: int, now: float
) -> tuple[Channel, Outcome]:
    """Take in a datagram that came from `source`; `highest` start of its sender that we know."""
    try:
        header, hidden = decode(datagram)
    except MalformedSeal:
        return channel, Dropped(Reason.TRUNCATED)
    if header.session == channel.own:
        return channel, Dropped(Reason.OWN)
    inside = _opened(channel, ring, source, header, hidden)
    if isinstance(inside, Reason):
        return channel, Dropped(inside)
    hearing, verdict = judge(channel.hearing, header.session, header.counter, inside, highest)
    channel, hurry = _hurry(replace(channel, hearing=hearing), verdict, now)
    if verdict.stand is not Stand.FRESH:
        return channel, Dropped(of_stand(verdict.stand), hurry)
    return channel, Opened(inside.message, header.session, verdict.is_first_proof, hurry)


def _opened(
    channel: Channel, ring: Ring, source: bytes, header: Header, hidden: bytes
) -> Inside | Reason:
    if not ring.knows(header.key):
        return Reason.KEY
    plain = ring.open(header, source, hidden)
    if plain is None:
        return Reason.FORGED
    if header.session.sender == channel.own.sender:
        return Reason.NAMESAKE
    try:
        return decode_inside(plain)
    except MalformedSeal:
        return Reason.CONTENT


def _hurry(channel: Channel, verdict: Verdict, now: float) -> tuple[Channel, bool]:
    """Say whether to speak at once: a session that is new to us, or to which we are."""
    is_asked = verdict.is_new or verdict.stand is Stand.UNANSWERED
    if not is_asked or now < channel.calm_at:
        return channel, False
    return replace(channel, calm_at=now + channel.period / _HURRIES), True
