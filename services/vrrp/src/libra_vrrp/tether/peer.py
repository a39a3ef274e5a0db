"""The tether to one other node: its connections, who connects when, and whose end counts.

One rule: an end counts only where the other end itself said how it stands, did not say bye, and
nobody listens there any more; a newer connection on which it said so takes the place of every older
one. Times are seconds of the monotonic clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias, assert_never

from libra_vrrp.tether.channel import Greeted, Noted, Told
from libra_vrrp.tether.dealings import (
    Bereave,
    Close,
    Connected,
    Dial,
    Effect,
    Elapsed,
    Ended,
    HangUp,
    Heard,
    Input,
    Introduce,
    Note,
    Settle,
    Unconnected,
)
from libra_vrrp.tether.ending import Attempt, Ending
from libra_vrrp.tether.message import Bye, Reason, Said
from libra_vrrp.tether.rank import Standings

DOUBT: Final = 0.02
"""Seconds within which a reconnect has to be refused for an end to count (design §6)."""
DIALLING: Final = 3.0
"""Seconds that connecting may take."""
GREETING: Final = 5.0
"""Seconds within which a connection has to greet."""
FIRST, LONGEST = 0.1, 5.0
"""Seconds between two attempts: the first, doubled up to the longest, and half of it by dice."""
SECOND: Final = 0.5
"""Seconds for which the one that does not connect first leaves it to the other, at least."""
CALM: Final = 5.0
"""Seconds after an end that counted in which no other does: who can forge them gains little."""
LINES: Final = 4
"""Connections with one node at a time."""


@dataclass(frozen=True, slots=True)
class Line:
    """A connection, and how the other end says that it stands."""

    since: float
    is_greeted: bool = False
    said: Standings = field(default_factory=dict)
    is_noted: bool = False


@dataclass(frozen=True, slots=True)
class Doubt:
    """A connection that ended: it counts if a reconnect is refused before `until`.

    Where it is accepted and ends again, nothing said, somebody was just about to listen no more.
    """

    said: Standings
    until: float


@dataclass(frozen=True, slots=True)
class Peer:
    """`connects_first` says whose turn it is; connections are told by rising numbers."""

    connects_first: bool
    dial_at: float
    dialling_since: float | None = None
    failures: int = 0
    lines: Mapping[int, Line] = field(default_factory=dict)
    doubt: Doubt | None = None
    counted_at: float = float("-inf")

    @property
    def is_greeted(self) -> bool:
        """Whether there is a connection on which it greeted."""
        return any(one.is_greeted for one in self.lines.values())

    @property
    def standings(self) -> Standings:
        """How it stands in each router, while it is tied to us."""
        return next((one.said for one in (*self.lines.values(),)[::-1] if one.said), {})


Step: TypeAlias = tuple[Peer, tuple[Effect, ...]]


def begin(now: float, *, connects_first: bool) -> Peer:
    """Return a peer that nothing is known of."""
    return Peer(connects_first, now if connects_first else now + SECOND)


def deadline(peer: Peer) -> float:
    """Return when `Elapsed` is due."""
    times = [one.since + GREETING for one in peer.lines.values() if not one.is_greeted]
    times.append(peer.dial_at if peer.dialling_since is None else peer.dialling_since + DIALLING)
    times.append(float("inf") if peer.doubt is None else peer.doubt.until)
    return min(times)


def step(peer: Peer, given: Input, now: float, dice: float) -> Step:
    """Return what an input makes of it, and what to do; `dice` is a number from 0 to 1."""
    match given:
        case Connected():
            return _connected(peer, given, now)
        case Unconnected(attempt=attempt):
            return _unconnected(peer, attempt, now, dice)
        case Heard(number=number, word=word):
            return _heard(peer, number, word)
        case Ended(number=number, ending=ending):
            return _ended(peer, number, ending, now, dice)
        case Elapsed():
            return _elapsed(peer, now, dice)
        case _:
            assert_never(given)


def _connected(peer: Peer, given: Connected, now: float) -> Step:
    """Take a connection in; that somebody accepts ours is no refusal."""
    if given.is_ours:
        peer = replace(peer, dialling_since=None, dial_at=now + GREETING)
    by_worth = sorted(peer.lines, key=lambda number: bool(peer.lines[number].said))
    closed = by_worth[: max(len(by_worth) + 1 - LINES, 0)]
    kept = {number: one for number, one in peer.lines.items() if number not in closed}
    peer = replace(peer, lines={**kept, given.number: Line(now)})
    return peer, tuple(Close(number, Reason.UNUSABLE) for number in closed)


def _unconnected(peer: Peer, attempt: Attempt, now: float, dice: float) -> Step:
    """Believe a refusal while there is doubt; how late we ourselves are does not matter."""
    doubt = peer.doubt
    peer = _later(replace(peer, dialling_since=None, doubt=None), now, dice)
    if doubt is None or attempt is not Attempt.REFUSED:
        return peer, ()
    return replace(peer, counted_at=now), (Bereave(doubt.said),)


def _heard(peer: Peer, number: int, word: Greeted | Told | Noted) -> Step:
    line = peer.lines[number]
    match word:
        case Greeted():
            peer = _with(peer, number, replace(line, is_greeted=True))
            is_calling = peer.dialling_since is not None and peer.doubt is None
            if is_calling:
                peer = replace(peer, dialling_since=None)
            peer = replace(peer, dial_at=float("inf"), failures=0)
            return peer, (*((HangUp(),) if is_calling else ()), Introduce(number))
        case Noted():
            return peer, (Settle(number),)
        case Told(router=router, said=said):
            return _told(peer, number, router, said)
        case _:
            assert_never(word)


def _told(peer: Peer, number: int, router: bytes, said: Said) -> Step:
    """Believe the newest connection, and end those before it."""
    line = peer.lines[number]
    if isinstance(said, Bye):
        rest = {tag: one for tag, one in line.said.items() if tag != router}
        return _with(peer, number, replace(line, said=rest)), ()
    told = replace(line, said={**line.said, router: said}, is_noted=True)
    older = [one for one in peer.lines if one < number]
    lines = {one: known for one, known in peer.lines.items() if one > number}
    note = () if line.is_noted else (Note(number),)
    closes = (Close(one, Reason.REPLACED) for one in older)
    return replace(peer, lines={number: told, **lines}), (*note, *closes)


def _ended(peer: Peer, number: int, ending: Ending, now: float, dice: float) -> Step:
    lines = {one: known for one, known in peer.lines.items() if one != number}
    said = peer.lines[number].said
    peer = replace(peer, lines=lines)
    if not peer.is_greeted:
        peer = _later(peer, now, dice)
    match ending:
        case Ending.FIN | Ending.RST:
            return _doubted(peer, said, now)
        case Ending.LOST:
            return peer, ()
        case _:
            assert_never(ending)


def _doubted(peer: Peer, said: Standings, now: float) -> Step:
    """Ask whether anybody listens there, or ask again."""
    if said and now >= peer.counted_at + CALM:
        peer = replace(peer, doubt=Doubt(said, now + DOUBT))
    elif said or peer.doubt is None or peer.dialling_since is not None:
        return peer, ()
    return replace(peer, dialling_since=now), (Dial(),)


def _elapsed(peer: Peer, now: float, dice: float) -> Step:
    effects: list[Effect] = []
    if peer.doubt is not None and now >= peer.doubt.until:
        peer = replace(peer, doubt=None)
    if peer.dialling_since is not None and now >= peer.dialling_since + DIALLING:
        peer = _later(replace(peer, dialling_since=None), now, dice)
        effects.append(HangUp())
    mute = [
        n for n, one in peer.lines.items() if not one.is_greeted and now >= one.since + GREETING
    ]
    effects += (Close(number, Reason.UNUSABLE) for number in mute)
    if mute:
        peer = replace(peer, lines={n: one for n, one in peer.lines.items() if n not in mute})
        peer = _later(peer, now, dice) if not peer.is_greeted else peer
    if peer.dialling_since is None and now >= peer.dial_at:
        peer = replace(peer, dialling_since=now, dial_at=float("inf"))
        effects.append(Dial())
    return peer, tuple(effects)


def _later(peer: Peer, now: float, dice: float) -> Peer:
    """Plan the next attempt."""
    pause = min(FIRST * 2.0 ** min(peer.failures, 9), LONGEST) * (0.5 + dice / 2)
    at = now + (pause if peer.connects_first else max(pause, SECOND + dice))
    return replace(peer, dial_at=at, failures=peer.failures + 1)


def _with(peer: Peer, number: int, line: Line) -> Peer:
    return replace(peer, lines={**peer.lines, number: line})
