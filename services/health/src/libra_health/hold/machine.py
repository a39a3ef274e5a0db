"""The machine of a hold: `step(hold, held, event, now) -> (held, effects)`.

The one rule: only where a connection stood, was lost, and is then refused twice is a backend
condemned. A server that ends idle connections is learned, and its hold renewed before it does.
"""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import Final, TypeAlias

from libra_health.hold import idle
from libra_health.hold.words import (
    Condemn,
    Doubt,
    Due,
    Effect,
    Effects,
    GiveWay,
    HangUp,
    Held,
    Hold,
    Hurry,
    Input,
    Phase,
    Probed,
)
from libra_health.outcome import Errored, from_errno
from libra_health.wire import RECEIVE, Connect, Connected, Ended, Received, Refused, Unasked

AGAIN: Final = 0.005
"""Seconds from one attempt in doubt to the next."""
REFUSALS: Final = 2
"""Refusals in a row that condemn."""
SETTLED: Final = 1.0
"""Seconds from which on a connection stood; the end of a shorter one says nothing."""
PATIENCE: Final = 3.0
"""Seconds until an attempt is given up: time for one more SYN."""
LONGEST: Final = 60.0
"""Seconds from one attempt to the next at most, however often it came to nothing."""
LACKING: Final = 30.0
"""Seconds until the next attempt where it was this node that could not."""
TALK: Final = 65536
"""Bytes read in a row; what comes after waits for `PAUSE` seconds."""
PAUSE: Final = 1.0
HURRY: Final = 5.0
"""Seconds for which the probes hurry where a backend is in trouble."""

Step: TypeAlias = tuple[Held, Effects]

_HANG_UP: Final = HangUp()
_BY_SERVER: Final = frozenset((errno.ECONNRESET, errno.EPIPE))


def start(now: float, delay: float) -> Held:
    """Begin by waiting `delay` seconds."""
    return Held(Phase.WAITING, now, now + delay)


def step(hold: Hold, held: Held, event: Input, now: float) -> Step:
    """Take a hold one input further."""
    match event:
        case Connected():
            return _hold(held, now)
        case Received(data):
            return _hear(held, len(data), now)
        case Refused() | Ended():
            return _broken(hold, held, event, now)
        case Probed(passed):
            return _prove(held, passed=passed)
        case GiveWay():
            return _rest(replace(held, doubt=None, unproved=0.0), LACKING, now)
        case Due():
            return _due(hold, held, now)
        case _:
            raise Unasked("hold", event)


def _due(hold: Hold, held: Held, now: float) -> Step:
    match held.phase:
        case Phase.WAITING:
            return _connect(hold, held, now)
        case Phase.CONNECTING:
            return _rest(replace(held, doubt=None), hold.every, now, *_trouble(held))
        case Phase.HOLDING:
            if now < held.since + idle.allowed(held.lives):
                return replace(held, heard=0, due=held.since + idle.allowed(held.lives)), RECEIVE
            doubt = Doubt("connection renewed")
            following, effects = _connect(hold, replace(held, doubt=doubt, fruitless=0), now)
            return following, (_HANG_UP, *effects)


def _connect(hold: Hold, held: Held, now: float) -> Step:
    following = replace(held, phase=Phase.CONNECTING, since=now, due=now + PATIENCE)
    return following, (Connect(hold.target, abort=True),)


def _hold(held: Held, now: float) -> Step:
    doubt = None if held.doubt is None else replace(held.doubt, refusals=0)
    following = replace(held, phase=Phase.HOLDING, since=now, heard=0, doubt=doubt)
    return replace(following, due=now + idle.allowed(following.lives)), RECEIVE


def _hear(held: Held, size: int, now: float) -> Step:
    """Drop what a server says; one that does not stop is heard a little each second."""
    heard = held.heard + size
    if heard < TALK:
        return replace(held, heard=heard), RECEIVE
    return replace(held, heard=heard, due=min(held.due, now + PAUSE)), ()


def _broken(hold: Hold, held: Held, event: Refused | Ended, now: float) -> Step:
    if isinstance(event, Ended):
        return _lost(hold, held, 0, now)
    if held.phase is Phase.CONNECTING:
        return _unconnected(hold, held, event, now)
    return _lost(hold, held, event.errno, now)


def _lost(hold: Hold, held: Held, number: int, now: float) -> Step:
    """Take the end of a connection; `number`: the error that ended it, 0 for good order."""
    life = now - held.since
    if life < SETTLED:
        return _fell(hold, held, now)
    how = errno.errorcode.get(number, str(number))
    doubt = Doubt(f"connection lost ({how})" if number else "connection ended")
    by_server = not number or number in _BY_SERVER
    usual = idle.timeout(held.lives)
    unproved = life if by_server else 0.0
    hurry: Effects = (Hurry(0.0 if by_server else HURRY),)
    if by_server and usual is not None and idle.alike(life, usual):
        unproved, hurry = 0.0, ()
    lost = replace(held, doubt=doubt, fruitless=0, unproved=unproved)
    following, effects = _connect(hold, lost, now)
    return following, (_HANG_UP, *hurry, *effects)


def _fell(hold: Hold, held: Held, now: float) -> Step:
    """Take the end of a connection that never stood."""
    doubt = held.doubt
    if doubt is not None and doubt.tries:
        again = replace(doubt, tries=doubt.tries - 1, refusals=0)
        return _rest(replace(held, doubt=again), AGAIN, now)
    fruitless = held.fruitless + 1
    wait = max(hold.every, min(LONGEST, hold.every * 2.0 ** min(fruitless, 16)))
    return _rest(replace(held, doubt=None, fruitless=fruitless), wait, now, *_trouble(held))


def _unconnected(hold: Hold, held: Held, refused: Refused, now: float) -> Step:
    doubt, number = held.doubt, refused.errno
    if isinstance(from_errno(number, 0.0, immediate=refused.immediate), Errored):
        wait = max(hold.every, LACKING)
        return _rest(replace(held, doubt=None, unproved=0.0), wait, now)
    if number in _BY_SERVER:
        return _fell(hold, held, now)
    if doubt is None or number != errno.ECONNREFUSED:
        return _rest(replace(held, doubt=None), hold.every, now, *_trouble(held))
    if doubt.refusals + 1 < REFUSALS:
        once = replace(doubt, refusals=doubt.refusals + 1, refused=now)
        return _rest(replace(held, doubt=once), AGAIN, now)
    span = now - doubt.refused
    detail = f"hold {hold.target}: {doubt.why}, refused twice within {1000 * span:.0f} ms"
    gone = replace(held, doubt=None, lives=(), unproved=0.0)
    return _rest(gone, hold.every, now, Condemn(detail, span), Hurry(HURRY))


def _trouble(held: Held) -> Effects:
    """Have probes hurry where a connection that stood cannot be had again."""
    return () if held.doubt is None else (Hurry(HURRY),)


def _rest(held: Held, wait: float, now: float, *effects: Effect) -> Step:
    """Hang up, and connect again in `wait` seconds."""
    following = replace(held, phase=Phase.WAITING, since=now, due=now + wait)
    return following, (_HANG_UP, *effects)


def _prove(held: Held, *, passed: bool) -> Step:
    """Learn the age of a connection that a sound server ended; of another one think nothing."""
    if not held.unproved:
        return held, ()
    if not passed:
        return replace(held, unproved=0.0), (Hurry(HURRY),)
    lives = idle.learned(held.lives, held.unproved)
    following = replace(held, lives=lives, unproved=0.0)
    if held.phase is Phase.HOLDING:
        following = replace(
            following, due=min(held.due, held.since + idle.allowed(following.lives))
        )
    return following, ()
