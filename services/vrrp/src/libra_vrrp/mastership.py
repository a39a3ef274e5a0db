"""What a master makes of an advertisement (RFC 9568 section 6.4.3), and how it says its own.

One rule: who is to be master is judged by priority, then by the primary address, unsigned.
"""

from dataclasses import replace
from typing import TypeAlias

from libra_vrrp.backup import watch
from libra_vrrp.router import STOPPING, Router
from libra_vrrp.states import (
    Advertise,
    Alarm,
    Announce,
    Backup,
    DropAddresses,
    Effect,
    Enter,
    Heard,
    Master,
)
from libra_vrrp.why import Why

Step: TypeAlias = tuple[Master | Backup, tuple[Effect, ...]]


def answer(router: Router, state: Master, heard: Heard, now: float) -> Step:
    """Stay master or yield.

    A master that yields says a last word (keepalived: higher_prio_send_advert): after a partition
    the winner learns from it that the neighbours were told otherwise, and announces again. So it
    does when another master gives up, which need not have lost to us but may have followed its
    group.
    """
    said = heard.advertisement
    if said.priority == STOPPING:
        kept, effects = advertise_now(router, state, now)
        return kept, (*effects, Announce())
    ours, theirs = (router.priority, router.address), (said.priority, heard.source)
    if theirs == ours:
        return state, (Alarm("own_address", heard.source, "another router uses our address"),)
    if theirs > ours:
        interval = said.interval / 100
        backup = replace(watch(router, interval, now), master=heard.source, heard_at=now)
        entered = Enter(backup, Why.HIGHER_PRIORITY, heard.source)
        last_word = Advertise(router.priority)
        return backup, (last_word, DropAddresses(), entered, *_duplicate_owner(router, heard))
    kept, effects = advertise_now(router, state, now)
    return kept, (*effects, Announce(), *_two_masters(router, state, heard, now))


def advertise_now(router: Router, state: Master, now: float) -> Step:
    """Advertise at once; the next time is an interval later."""
    return replace(state, advert_at=now + router.interval), (Advertise(router.priority),)


def _two_masters(router: Router, state: Master, heard: Heard, now: float) -> tuple[Alarm, ...]:
    """Return the alarm for a lower master; it is no news while we have only just taken over."""
    if now - state.since < router.interval:
        return _duplicate_owner(router, heard)
    detail = f"a master of priority {heard.advertisement.priority}"
    return (Alarm("two_masters", heard.source, detail), *_duplicate_owner(router, heard))


def _duplicate_owner(router: Router, heard: Heard) -> tuple[Alarm, ...]:
    if router.owns_addresses and heard.advertisement.priority == router.priority:
        return (Alarm("duplicate_owner", heard.source, "both have priority 255"),)
    return ()
