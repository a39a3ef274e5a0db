"""What is held true of every backend, kept in the driver's thread beside the driver.

The one rule: nothing is said before the log was heard, and everything said since is said once.
From then on the board knows by itself what the log holds or will hold: nobody else says verdicts.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TypeAlias

from libra_health.outcome import Errored, Failed, Outcome, Passed
from libra_health.probes import Probe, diff
from libra_health.shell.drive import Driver
from libra_health.verdict import (
    Ballot,
    FanOut,
    Heard,
    Key,
    Known,
    Member,
    Tally,
    Verdict,
    Watch,
    begin,
    blast,
    condemn,
    fan_out,
    member_of,
    pools_of,
    recall,
    record,
    rule,
    stirs,
    vantage,
)
from libra_runtime.stamp import now as wall_time

Logged: TypeAlias = Mapping[Key, Known]
"""What the log holds of each backend."""

Ballots: TypeAlias = Mapping[Key, Ballot]
"""How a peer sees backends."""


@dataclass(frozen=True, slots=True)
class Told:
    """A verdict, when it fell (wall time) and under which config revision."""

    verdict: Verdict
    decided: datetime
    revision: str


Tell: TypeAlias = Callable[[tuple[Told, ...]], None]


class Board:
    """Counts results and says verdicts by `tell`; all methods run in the driver's thread."""

    def __init__(self, tell: Tell) -> None:
        self.results: Counter[tuple[str, str]] = Counter()
        self.tallies: dict[Key, Tally] = {}
        self.unable: dict[Probe, Errored] = {}
        self._tell = tell
        self._users: FanOut = {}
        self._pools: dict[str, tuple[Key, ...]] = {}
        self._members: dict[Key, Member] = {}
        self._revision = ""
        self._has_heard = False
        self._known: dict[Key, Known] = {}
        self._driver: Driver | None = None
        self._alarms: dict[Key, float] = {}
        self._peers: dict[str, dict[Key, Ballot] | None] = {}

    def hear(self, logged: Logged) -> None:
        """Learn the log's verdicts, once, when it has been read to its end."""
        self._has_heard = True
        self._known = dict(logged)
        now, at_work = time.monotonic(), self._at_work()
        for key, tally in self.tallies.items():
            known = self._known.get(key)
            self.tallies[key] = recall(tally, known, joins=key[0] in at_work, now=now)
        self._rule(self.tallies, now)

    def apply(self, driver: Driver, watches: tuple[Watch, ...], rev: str) -> None:
        """Take up a config; what it does not change is not touched."""
        before, self.tallies, self._revision = self.tallies, {}, rev
        self._driver = driver
        now, at_work = time.monotonic(), self._at_work()
        for watch in watches:
            key = watch.key
            previous, known = before.get(key), self._known.get(key)
            tally = begin(watch, previous, known, joins=key[0] in at_work, now=now)
            self.tallies[key] = self._listening(tally)
        self._users = fan_out(watches)
        self._pools, self._members = pools_of(watches), {}
        self._alarms = {key: due for key, due in self._alarms.items() if key in self.tallies}
        self.unable = {probe: why for probe, why in self.unable.items() if probe in self._users}
        driver.apply(diff(driver.probes, self._users), spread=True)
        changed = [key for key, tally in self.tallies.items() if tally is not before.get(key)]
        self._rule([*changed, *(key for pool in self._pools.values() for key in pool)], now)

    def hear_peer(self, node: str, ballots: Ballots | None, *, is_whole: bool = True) -> None:
        """Learn how a peer sees backends, all of them or those that changed; None: out of reach.

        Until each peer was heard of once nothing is ruled where votes count.
        """
        held = self._peers.get(node)
        if ballots is None or is_whole or held is None:
            self._peers[node] = None if ballots is None else dict(ballots)
            keys: Iterable[Key] = self.tallies
        else:
            held.update(ballots)
            keys = [key for key in ballots if key in self.tallies]
        stirred = []
        for key in keys:
            before = self.tallies[key]
            after = self._listening(before)
            if after is not before:
                self.tallies[key] = after
                stirred.append(key)
        self._rule(stirred, time.monotonic())

    def report(self, probe: Probe, outcome: Outcome, now: float) -> None:
        """Count one result for every backend that uses this probe."""
        label = "passed" if isinstance(outcome, Passed) else outcome.reason.value
        self.results[probe.kind, label] += 1
        if isinstance(outcome, Errored):
            self.unable[probe] = outcome
        else:
            self.unable.pop(probe, None)
        for key, place in self._users[probe]:
            before = self.tallies[key]
            after = record(before, place, outcome, now)
            if after is not before:
                self.tallies[key] = after
                if stirs(before, after, place):
                    self._rule((key,), now)

    def condemn(self, lookouts: Iterable[tuple[Key, int]], outcome: Failed, now: float) -> None:
        """Take it that what these lookouts connect to is gone, as a hold found."""
        self.results["hold", outcome.reason.value] += 1
        keys = []
        for key, place in lookouts:
            self.tallies[key] = condemn(self.tallies[key], place, outcome, now)
            keys.append(key)
        self._rule(dict.fromkeys(keys), now)

    def wake(self, key: Key, due: float) -> None:
        """Rule a backend again because its time has come, unless another time was set since."""
        if self._alarms.get(key) == due:
            del self._alarms[key]
            self._rule((key,), time.monotonic())

    def _rule(self, keys: Iterable[Key], now: float) -> None:
        """Rule these backends, and with one of a guarded pool the whole pool; say what is new."""
        if not self._has_heard:
            return
        verdicts: list[Verdict] = []
        stirred: dict[str, set[Key]] = {}
        for key in keys:
            if key[0] in self._pools:
                stirred.setdefault(key[0], set()).add(key)
            else:
                verdicts += self._rule_one(key, now)
        for name, of_pool in stirred.items():
            verdicts += self._rule_pool(self._pools[name], of_pool, now)
        self._say(verdicts)

    def _listening(self, tally: Tally) -> Tally:
        """Give a tally what the peers say of its backend; the very same where that is no news."""
        heard = self._heard(tally.watch)
        return tally if heard == tally.heard else replace(tally, heard=heard)

    def _heard(self, watch: Watch) -> Heard | None:
        counts = watch.policy.vantage
        if counts is None or not all(peer in self._peers for peer in counts.peers):
            return None
        reached = {p: each for p in counts.peers if (each := self._peers[p]) is not None}
        ballots = {peer: each.get(watch.key) for peer, each in reached.items()}
        return vantage.heard_of(watch.digest, ballots, len(reached), counts)

    def _rule_one(
        self, key: Key, now: float, *, may_go: bool = True, is_last: bool = False
    ) -> list[Verdict]:
        self.tallies[key], verdict = rule(self.tallies[key], now, may_go=may_go, is_last=is_last)
        due = self.tallies[key].due
        if due is not None:
            self._wake_at(key, due)
        return [] if verdict is None else [verdict]

    def _rule_pool(self, pool: tuple[Key, ...], stirred: set[Key], now: float) -> list[Verdict]:
        """Rule those that were stirred, and those that may go now; the others stand as they do."""
        for key in stirred:
            self._members[key] = member_of(self.tallies[key], now)
        guard = self.tallies[pool[0]].watch.policy.guard
        members = [self._members[key] for key in pool]
        permitted = blast.may_go(members, guard, now) if guard else [True] * len(pool)
        last = self._last(pool)
        ruled = zip(pool, members, permitted, strict=True)
        said = []
        for key, member, may in sorted(ruled, key=_comes_back_first):
            if key in stirred or (may and member.failing is not None):
                said += self._rule_one(key, now, may_go=may, is_last=key == last)
                self._members[key] = member_of(self.tallies[key], now)
        due = blast.due([self._members[key] for key in pool], guard, now) if guard else None
        if due is not None:
            self._wake_at(pool[0], due)
        return said

    def _last(self, pool: tuple[Key, ...]) -> Key | None:
        """Name the backend that a node which reaches too few others has to keep."""
        tally = self.tallies[pool[0]]
        counts, heard = tally.watch.policy.vantage, tally.heard
        if counts is None or heard is None or not vantage.is_minority(counts, heard):
            return None
        shown = [(bool(self.tallies[k].course.was_in), self._members[k].failing) for k in pool]
        place = vantage.last(shown)
        return None if place is None else pool[place]

    def _wake_at(self, key: Key, due: float) -> None:
        """Be woken for `key`, where nothing wakes it sooner: then it is asked again anyway."""
        if self._driver is not None and due < self._alarms.get(key, due + 1):
            self._alarms[key] = due
            self._driver.call_at(due, partial(self.wake, key, due))

    def _say(self, verdicts: Iterable[Verdict]) -> None:
        decided = wall_time()
        told = tuple(Told(verdict, decided, self._revision) for verdict in verdicts)
        for each in told:
            self._known[each.verdict.watch.key] = each.verdict.known
        if told:
            self._tell(told)

    def _at_work(self) -> set[str]:
        """Name the services of which some backend is known to serve."""
        return {key[0] for key, known in self._known.items() if known.stand.up}


def _comes_back_first(ruled: tuple[Key, Member, bool]) -> bool:
    """Have who comes back told before who goes in its place."""
    return ruled[1].failing is not None
