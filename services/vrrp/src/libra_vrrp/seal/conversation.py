"""One virtual router's sealed conversation: what it says, and what it makes of what it hears.

One rule: state in, state out; the challenge is random octets and `now` monotonic seconds that the
shell brings. A counter is spent before its datagram exists, so none seals twice.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

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
from libra_vrrp.seal.outcome import Dropped, Opened, Outcome, Reason, of_stand
from libra_vrrp.seal.ring import Ring

CLOSEST: Final = 0.05
"""Seconds between two challenges at least, however short the interval."""
_HURRIES: Final = 4
"""Datagrams in a period that newcomers can bring us to send beside the regular ones."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """Our session, the counter to be spent next, and what we heard; times are monotonic."""

    own: Session
    period: float
    due_at: float
    hearing: Hearing = field(default_factory=Hearing)
    counter: int = 0
    calm_at: float = float("-inf")


def begin(own: Session, interval: float, now: float) -> Conversation:
    """Begin a conversation; `interval` is that of the adverts in seconds."""
    return Conversation(own, max(interval, CLOSEST), now)


def retime(conversation: Conversation, interval: float) -> Conversation:
    """Go on with another interval of the adverts."""
    return replace(conversation, period=max(interval, CLOSEST))


def wrap(
    conversation: Conversation,
    ring: Ring,
    source: bytes,
    message: bytes,
    challenge: bytes,
    now: float,
) -> tuple[Conversation, bytes]:
    """Return the datagram that hides `message`, or that only challenges where it is empty.

    `source` is the packed address it is sent from; `challenge` is used if another one is due soon.
    Raise `OverflowError` after 2**64 datagrams.
    """
    if conversation.counter >= COUNTERS:
        raise OverflowError("every counter of this session is spent")
    if not conversation.hearing.mine or now >= conversation.due_at - conversation.period / 2:
        hearing = issue(conversation.hearing, challenge)
        conversation = replace(conversation, hearing=hearing, due_at=now + conversation.period)
    hearing = conversation.hearing
    header = ring.header(conversation.own, conversation.counter)
    inside = encode_inside(Inside(hearing.mine[-1], echoes(hearing), message))
    spent = replace(conversation, counter=conversation.counter + 1)
    return spent, ring.seal(header, source, inside)


def unwrap(
    conversation: Conversation,
    ring: Ring,
    source: bytes,
    datagram: bytes,
    highest: Callable[[bytes], int],
    now: float,
) -> tuple[Conversation, Outcome]:
    """Take in a datagram that came from `source`; `highest` tells a sender's highest start."""
    try:
        header, hidden = decode(datagram)
    except MalformedSeal:
        return conversation, Dropped(Reason.TRUNCATED)
    if header.session == conversation.own:
        return conversation, Dropped(Reason.OWN)
    inside = _opened(conversation, ring, source, header, hidden)
    if isinstance(inside, Reason):
        return conversation, Dropped(inside)
    session = header.session
    hearing, verdict = judge(
        conversation.hearing, session, header.counter, inside, highest(session.sender)
    )
    conversation, hurry = _hurry(replace(conversation, hearing=hearing), verdict, now)
    if verdict.stand is not Stand.FRESH:
        return conversation, Dropped(of_stand(verdict.stand), hurry)
    return conversation, Opened(inside.message, session, verdict.is_first_proof, hurry)


def _opened(
    conversation: Conversation, ring: Ring, source: bytes, header: Header, hidden: bytes
) -> Inside | Reason:
    if not ring.knows(header.key):
        return Reason.KEY
    plain = ring.open(header, source, hidden)
    if plain is None:
        return Reason.FORGED
    if header.session.sender == conversation.own.sender:
        return Reason.NAMESAKE
    try:
        return decode_inside(plain)
    except MalformedSeal:
        return Reason.CONTENT


def _hurry(conversation: Conversation, verdict: Verdict, now: float) -> tuple[Conversation, bool]:
    """Say whether to speak at once: a session that is new to us, or to which we are."""
    is_asked = verdict.is_new or verdict.stand is Stand.UNANSWERED
    if not is_asked or now < conversation.calm_at:
        return conversation, False
    return replace(conversation, calm_at=now + conversation.period / _HURRIES), True
