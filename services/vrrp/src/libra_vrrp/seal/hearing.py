"""Whose datagrams are fresh: the challenges that we issued, and who echoes them (ADR 12).

One rule: a datagram counts only if it echoes one of our last `KEPT` challenges. Age is counted in
challenges that we issued, so no clock is asked, and one who was stopped takes nothing for stale.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from libra_vrrp.seal.datagram import ECHOES, Inside, Session
from libra_vrrp.seal.window import Arrival, Window, arrive

KEPT: Final = 5
"""Challenges that are good for an echo: the bound of delay, in intervals."""
FORGOTTEN: Final = 64
"""Challenges after which a session that is silent is forgotten."""


class Stand(StrEnum):
    """How a datagram that was opened stands; only `fresh` ones have an effect."""

    FRESH = "fresh"
    """It echoes us, and its counter is higher than every other of its session."""
    LATE = "late"
    """Overtaken by a later one."""
    REPLAYED = "replayed"
    """Heard before, or of a start before one that we know, and it does not answer us."""
    STALE = "stale"
    """Its session did answer us; this one has been under way for too long."""
    UNANSWERED = "unanswered"
    """Of a session that had no time yet to answer us."""
    UNPROVEN = "unproven"
    """Of a session that had time and did not answer: replayed, or it does not hear us."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a session; `first` and `last` count our challenges when it was heard.

    It `is_over` once its sender has proven a later start.
    """

    window: Window
    challenge: bytes
    first: int
    last: int
    is_proven: bool = False
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Hearing:
    """Our last challenges, how many we issued, and the sessions heard of late."""

    mine: tuple[bytes, ...] = ()
    issued: int = 0
    sessions: Mapping[Session, Known] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a datagram stands, and whether its session `is_new` to us or `is_first_proof` of it."""

    stand: Stand
    is_new: bool
    is_first_proof: bool


def issue(hearing: Hearing, challenge: bytes) -> Hearing:
    """Issue another challenge, and forget sessions that fell silent."""
    issued = hearing.issued + 1
    sessions = {
        one: known for one, known in hearing.sessions.items() if issued - known.last < FORGOTTEN
    }
    return Hearing((*hearing.mine, challenge)[-KEPT:], issued, sessions)


def echoes(hearing: Hearing) -> tuple[bytes, ...]:
    """Return what every session challenges us with."""
    return tuple(known.challenge for known in hearing.sessions.values())


def judge(
    hearing: Hearing, session: Session, counter: int, inside: Inside, highest: int
) -> tuple[Hearing, Verdict]:
    """Take in a datagram that was opened; `highest` is the highest start proven by its sender."""
    known = hearing.sessions.get(session)
    is_new = known is None
    if known is None:
        known = Known(Window(), inside.challenge, hearing.issued, hearing.issued)
    known = replace(known, is_over=session.start < highest)
    window, arrival = arrive(known.window, counter)
    if arrival is not Arrival.NEW:
        stand = Stand.LATE if arrival is Arrival.LATE else Stand.REPLAYED
        return _with(hearing, session, replace(known, window=window)), Verdict(stand, False, False)
    is_fresh = not set(hearing.mine).isdisjoint(inside.echoes)
    stand = Stand.FRESH if is_fresh else _unfresh(hearing, known, session, highest)
    now = replace(
        known,
        window=window,
        challenge=inside.challenge,
        last=hearing.issued,
        is_proven=known.is_proven or is_fresh,
    )
    is_first = is_fresh and not known.is_proven
    after = _with(hearing, session, now)
    return _superseded(after, session) if is_first else after, Verdict(stand, is_new, is_first)


def _unfresh(hearing: Hearing, known: Known, session: Session, highest: int) -> Stand:
    if known.is_proven:
        return Stand.STALE
    if session.start < highest:
        return Stand.REPLAYED
    return Stand.UNPROVEN if hearing.issued - known.first >= KEPT else Stand.UNANSWERED


def _superseded(hearing: Hearing, session: Session) -> Hearing:
    """Forget the other sessions of a sender that proved a new one; those on trial may be over."""
    sessions = {
        one: replace(known, is_over=known.is_over or _precedes(one, session))
        for one, known in hearing.sessions.items()
        if one == session or one.sender != session.sender or not known.is_proven
    }
    return replace(hearing, sessions=sessions)


def _precedes(one: Session, other: Session) -> bool:
    return one.sender == other.sender and one.start < other.start


def _with(hearing: Hearing, session: Session, known: Known) -> Hearing:
    """Keep a session; where there is no room, one that is proven or may yet be goes last.

    Of equals the one that is silent longest goes: recordings displace nobody who may answer.
    """
    sessions = {one: old for one, old in hearing.sessions.items() if one != session}
    sessions[session] = known
    if len(sessions) > ECHOES:
        del sessions[min(sessions, key=lambda one: _worth(sessions[one]))]
    return replace(hearing, sessions=sessions)


def _worth(known: Known) -> tuple[bool, bool, int]:
    return known.is_proven, not known.is_over, known.last
