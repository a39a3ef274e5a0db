"""Draw the virtual router's states from what its machine really does: docs/vrrp-states.md.

`python -m tools.states` (`make generate`). Every state that can be reached is given every input;
each change of state is an arrow, with the machine's own reasons. A test compares the page.
"""

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

from libra_vrrp.codec import OWNER, Advertisement
from libra_vrrp.facts import WORDS
from libra_vrrp.fsm import deadline, step
from libra_vrrp.router import Always, Never, Router, WhenSynced
from libra_vrrp.states import (
    Adopt,
    Backup,
    Blocked,
    Covered,
    Effect,
    Elapsed,
    Enter,
    Fail,
    Fault,
    Heard,
    Initialize,
    Input,
    LeaseLost,
    Orphaned,
    PriorityChanged,
    Reconfigured,
    Recover,
    Released,
    Relinquish,
    Start,
    State,
    Stop,
    Yield,
)
from libra_vrrp.why import Why

PAGE = Path(__file__).resolve().parent.parent / "docs" / "vrrp-states.md"
PEER = IPv4Address("10.9.0.9")
PRIORITY = 100
FAULTS = frozenset({"interface eth0 is down"})
HOLD = 60.0
STEP = 0.001
"""Seconds by which one input follows another, where no timer has to run out."""

MEANINGS = {
    Why.STARTED: "the service started, or its start-up delay is over",
    Why.OWNER: "priority 255: the addresses are its own, it waits for nobody",
    Why.ADOPTED: "restarted within two intervals: it goes on as the master that it was",
    Why.TIMER: "no master was heard for three intervals and the skew",
    Why.PRIORITY_ZERO: "the master said that it gives up; after the skew",
    Why.TETHER: "the master's process and its guard died together, as the tether to it told",
    Why.UNCLAIMED: "nobody took what it had handed over by the operator's word",
    Why.LOWER_PRIORITY_HEARD: "the master has a lower priority, and `preempt` allows it",
    Why.SYNCED: "the same, with 90 % of its connections here (`preempt: when-synced`)",
    Why.OVERDUE: "the same, without them: it has waited for them for long enough",
    Why.HOLD_OVER: "as before, once it was held back no more",
    Why.HIGHER_PRIORITY: "a better master was heard: higher priority, or address where equal",
    Why.FAULT: "it lost something that it needs, such as its interface",
    Why.TRACKED: "told in place of `fault` where nothing but tracked objects keeps it there",
    Why.RECOVERED: "nothing is amiss any more",
    Why.LEASE: "the lease on the addresses may have run out: it acts no more, and says nothing",
    Why.OPERATOR: "`libra failover`: it hands over",
    Why.GROUP: "another member of its sync group is in fault, or master no more",
    Why.SHUTDOWN: "stopped, or no longer in the config",
}
"""What the words mean to an operator, in the order of the page."""

INPUTS: tuple[Input, ...] = (
    Start(),
    Start(FAULTS),
    Start(blocked_by=frozenset({"inside"})),
    Adopt(),
    Elapsed(),
    *(Heard(Advertisement(51, n, 100), PEER) for n in (0, PRIORITY - 1, PRIORITY, OWNER)),
    PriorityChanged(PRIORITY + 1),
    Reconfigured(),
    Fail(*FAULTS),
    Recover(*FAULTS),
    Blocked(frozenset({"inside"})),
    Blocked(frozenset()),
    Yield(HOLD),
    Released(),
    Covered(0.9),
    Orphaned(0),
    LeaseLost(),
    LeaseLost(HOLD),
    Relinquish("inside"),
    Stop(),
)

_PLAIN = Router(51, PRIORITY, IPv4Address("10.9.0.1"), (IPv4Address("192.0.2.10"),))
ROUTERS = (
    replace(_PLAIN, preempt=Always()),
    replace(_PLAIN, preempt=Never()),
    replace(_PLAIN, preempt=WhenSynced(HOLD)),
    replace(_PLAIN, startup_delay=5.0),
    replace(_PLAIN, priority=OWNER),
    replace(_PLAIN, priority=OWNER, startup_delay=5.0),
    replace(_PLAIN, priority=OWNER, joint=True),
)

Arrows = dict[tuple[str, str], set[str]]


def arrows() -> Arrows:
    """Give every reachable state of every router every input; return what changes the state."""
    found: Arrows = {}
    for router in ROUTERS:
        first: State = Initialize()
        seen, waiting = {_kind(first)}, [(first, 0.0)]
        while waiting:
            before, now = waiting.pop()
            for after, then, reasons in _changes(router, before, now):
                if type(after) is not type(before):
                    found.setdefault((_name(before), _name(after)), set()).update(reasons)
                if _kind(after) not in seen:
                    seen.add(_kind(after))
                    waiting.append((after, then))
    return found


def page() -> str:
    """Render the page."""
    found = sorted(arrows().items(), key=lambda item: [_ORDER.index(name) for name in item[0]])
    drawn = [f"    {a} --> {b}: {'<br>'.join(_sorted(why))}" for (a, b), why in found]
    meant = [f"| `{w}` | `{WORDS[w][0]}` | {meaning} |" for w, meaning in MEANINGS.items()]
    return "\n".join([*_HEAD, *drawn, *_MIDDLE, *meant, *_FOOT, ""])


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def _changes(
    router: Router, before: State, now: float
) -> Iterator[tuple[State, float, frozenset[str]]]:
    """Yield what each input makes of a state, at once and when its timer has run out."""
    ends = deadline(before)
    for given in INPUTS:
        for then in (now + STEP, max(now + STEP, ends or 0.0), now + 2 * HOLD):
            after, effects = step(router, before, given, then)
            yield after, then, _reasons(effects, after)


def _reasons(effects: tuple[Effect, ...], after: State) -> frozenset[str]:
    """Return the reasons that the machine gave; it gives none where it only begins to wait."""
    given = frozenset(str(one.why) for one in effects if isinstance(one, Enter))
    return given or frozenset({_UNSAID.get(_name(after), "")})


def _kind(state: State) -> tuple[object, ...]:
    """Return what tells two states apart as far as their ways on go."""
    match state:
        case Backup():
            marks = state.courted_since, state.held_until, state.beaten_until
            return Backup, state.due, state.coverage, *(mark is None for mark in marks)
        case Fault():
            return Fault, bool(state.reasons), bool(state.blocked_by)
        case _:
            return (type(state),)


def _name(state: State) -> str:
    return type(state).__name__


def _sorted(reasons: set[str]) -> list[str]:
    words = [str(why) for why in MEANINGS]
    return sorted(reasons, key=lambda word: words.index(word) if word in words else -1)


_ORDER = ("Initialize", "Starting", "Backup", "Master", "Fault", "Stopped")
_UNSAID = {"Starting": "start-up delay", "Stopped": "never started"}
_HEAD = (
    "# The states of a virtual router",
    "",
    "<!-- Generated by `make generate` from what libra_vrrp/fsm.py does. -->",
    "",
    "RFC 9568 section 6.4, with what LibrA adds. At the arrows stand the machine's reasons. A",
    "router tells when it enters Backup, Master (once the kernel holds its addresses), Fault and",
    "Stopped.",
    "",
    "```mermaid",
    "stateDiagram-v2",
    "    [*] --> Initialize",
)
_MIDDLE = (
    "    Stopped --> [*]",
    "```",
    "",
    "| reason | `why` in the event | meaning |",
    "|---|---|---|",
)
_FOOT = (
    "",
    "A sync group is Master all or none: its members become Master at the moment when the last",
    "one's time has come, and each draws the others along when it leaves (`libra_vrrp/group.py`).",
)


if __name__ == "__main__":
    main()
