"""One virtual router at work: its inputs gathered, its effects performed."""

from dataclasses import replace
from typing import Final, assert_never

from libra_vrrp.admission import admit
from libra_vrrp.codec import Received
from libra_vrrp.fsm import step
from libra_vrrp.laying import laying
from libra_vrrp.orders import Instance, Tracked
from libra_vrrp.parameters import router_of
from libra_vrrp.renewal import Laid, Outcome
from libra_vrrp.reports import Transition
from libra_vrrp.router import Router, datagrams
from libra_vrrp.routing import Entry
from libra_vrrp.shell.ailments import ailments
from libra_vrrp.shell.ground import Ground
from libra_vrrp.shell.holding import Holding, Renewal, drop
from libra_vrrp.shell.placing import forsaken, reshaped
from libra_vrrp.shell.releasing import release
from libra_vrrp.shell.sync_group import SyncGroup
from libra_vrrp.shell.telling import Telling
from libra_vrrp.shell.weighing import Weighing
from libra_vrrp.states import (
    Adopt,
    Advertise,
    Alarm,
    Announce,
    Backup,
    Covered,
    DropAddresses,
    Effect,
    Elapsed,
    Enter,
    Fail,
    Heard,
    Initialize,
    Input,
    LeaseLost,
    Master,
    PriorityChanged,
    Reconfigured,
    Recover,
    Start,
    State,
    TakeAddresses,
)

RETRY_REFUSED: Final = 10.0
"""Seconds in fault after the kernel refused an address, or left to others where it is silent."""


class VirtualRouter:
    """The only place where the effects of one instance happen; times are monotonic seconds."""

    def __init__(self, order: Instance, ground: Ground, unclean_at: float) -> None:
        self.order, self._ground, self._unclean_at = order, ground, unclean_at
        self.state: State = Initialize()
        self.coverage: float | None = None
        self.group = SyncGroup((self,))
        self._weighing = Weighing(order, ground)
        self._tokens, self._reasons = 0, frozenset[str]()
        self._refusal: tuple[str, float] | None = None
        self._holding: Holding | None = None
        self.telling = Telling(ground, self._weighing)
        self.router = self._router()

    @property
    def name(self) -> str:
        """The instance's name."""
        return self.order.name

    @property
    def held_until(self) -> float:
        """When it steps down, unless the kernel confirms once more what it holds."""
        return float("inf") if self._holding is None else self._holding.until

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The routes and rules that it has the kernel hold."""
        return () if self._holding is None else self._holding.entries

    def start(self, now: float, *, adopt: bool) -> None:
        """Begin, as the master that our predecessor was where `adopt` holds."""
        self._reasons = self._faults(now)
        self.give(Adopt() if adopt and not self._reasons else Start(self._reasons), now)

    def give(self, given: Input, now: float) -> None:
        """Hand one input to the machine; it may move the other members of the group too."""
        self.group.give(self.name, given, now)

    def move(self, state: State, effects: tuple[Effect, ...], now: float) -> None:
        """Enter a state that the machine decided on, and perform its effects in order."""
        before, self.state = self.state, state
        for effect in effects:
            self._perform(effect, before, now)
        if self.coverage is not None and isinstance(self.state, Backup):
            self.state, _ = step(self.router, self.state, Covered(self.coverage), now)

    def hear(self, received: Received, now: float) -> None:
        """Take what was said for our vrid; raise `MalformedAdvertisement` if it is not for us."""
        heard = admit(self.router, received)
        if set(heard.addresses) != set(self.router.addresses):
            self._ground.count("other_addresses")
        self.give(Heard(heard, received.source), now)

    def fence(self, now: float) -> None:
        """Step down where the kernel may have taken the addresses back; first on every wake-up.

        Where it never answered at all, others are better masters for a while.
        """
        if self._holding is not None and self._holding.is_lost(now):
            self._ground.count("leases_lost")
            self.give(LeaseLost(0.0 if self._holding.is_confirmed else RETRY_REFUSED), now)

    def tick(self, now: float) -> float | None:
        """Do what is due; return how late an advertisement was, if one was sent."""
        late = None
        at = self.group.deadline(self.name)
        if at is not None and now >= at:
            late = now - at if isinstance(self.state, Master) else None
            self.give(Elapsed(), now)
        if self._holding is not None:
            self._holding.tick(now)
        if now >= self._look_at():
            self.look(now)
        return late

    def wake_at(self) -> float:
        """Return when `tick` is next due."""
        at = self.group.deadline(self.name)
        holding = float("inf") if self._holding is None else self._holding.wake_at()
        return min(float("inf") if at is None else at, holding, self._look_at())

    def look(self, now: float) -> None:
        """Take in what is now: what is tracked, faults that came and went, our own address."""
        self._reprioritise(now)
        reasons = self._faults(now)
        router = self._router()
        if router != self.router and not reasons:
            self.router = router
            self.give(Reconfigured(), now)
        for reason in sorted(reasons - self._reasons):
            self.give(Fail(reason), now)
        for reason in sorted(self._reasons - reasons):
            self.give(Recover(reason), now)
        self._reasons = reasons

    def track(self, said: Tracked, now: float) -> None:
        """Let tracked objects move the priority, or be faults."""
        self._weighing.hear(said)
        self.look(now)

    def reconfigure(self, order: Instance, now: float) -> None:
        """Go on under another order of the same identity; a master advertises before all else.

        What the order adds is taken by `retake`, once every router has released what it lost.
        """
        old, self.order = self.order, order
        self.look(now)
        kept, stay, laid = self._entries(order), order.held, self._entries(old)
        if self._holding is not None:
            stay, laid = (*stay, *reshaped(old, order)), self._holding.shed(kept)
        places = tuple(one for one in old.held if one not in stay)
        entries = tuple(one for one in laid if one not in kept)
        release(self._ground, places, entries, forsaken(old, order))

    def retake(self, now: float) -> None:
        """Hold what the order names, all of it, after others may have let go of it."""
        if self._holding is not None:
            self._holding.reorder(self.order, now)

    def done(self, outcome: Outcome | Laid, now: float) -> None:
        """Take what became of a renewal."""
        if self._holding is None:
            return
        match self._holding.take_in(outcome, now):
            case Renewal.LATE:
                self._ground.count("late_renewals")
                self.give(LeaseLost(), now)
            case Renewal.REFUSED:
                self._refused(self._holding.errno, now)
            case Renewal.COMPLETE:
                self.telling.complete(self.order, self.router.priority, now)
            case Renewal.UNKNOWN:
                self._ground.count("unknown_renewals")
            case Renewal.FOREIGN | Renewal.CONFIRMED:
                pass

    def status(self, now: float) -> Transition:
        """Return the present state as a report."""
        return self.telling.status(self.order, self.router.priority, self.state, now)

    def _perform(self, effect: Effect, before: State, now: float) -> None:
        match effect:
            case Advertise(priority=priority):
                self.advertise(priority)
            case TakeAddresses():
                self._tokens += 1
                self._holding = Holding(self.order, self._ground, self._tokens, now)
            case DropAddresses():
                drop(self._ground, self.order, self._entries(self.order), self._holding)
                self._holding = None
                self.telling.forget()
            case Announce():
                if self._holding is not None:
                    self._holding.announce(now)
            case Enter():
                self.telling.entered(self.order, self.router.priority, effect, before, now)
            case Alarm(kind=kind, source=source, detail=detail):
                self._ground.alarm(self.order.name, kind.replace("_", "-"), source, detail)
            case _:
                assert_never(effect)

    def advertise(self, priority: int) -> None:
        """Say a priority to whom adverts go."""
        for datagram in datagrams(self.router, priority):
            self._ground.count("sent" if self._ground.send(self.order, datagram) else "unsent")

    def _refused(self, errno: int, now: float) -> None:
        self._ground.count("refused")
        self._refusal = (f"the kernel refused an address (errno {errno})", now + RETRY_REFUSED)
        self.look(now)

    def _look_at(self) -> float:
        """Return when something changes although nothing happens."""
        refusal = float("inf") if self._refusal is None else self._refusal[1]
        return min(refusal, self._weighing.tracking.due)

    def _reprioritise(self, now: float) -> None:
        was, priority = self.router.priority, self._weighing.look(self.order, now)
        if priority != was:
            self.router = replace(self.router, priority=priority)
            self.give(PriorityChanged(was), now)

    def _entries(self, order: Instance) -> tuple[Entry, ...]:
        return laying(order, self._ground.interfaces).entries

    def _router(self) -> Router:
        ground, deltas = self._ground, self._weighing.tracking.deltas
        router = router_of(self.order, deltas, ground.interfaces, ground.virtual)
        return replace(router, unclean_at=self._unclean_at)

    def _faults(self, now: float) -> frozenset[str]:
        """Return why this router cannot work; the kernel's refusal counts for a while."""
        reasons = ailments(self.order, self._ground) | self._weighing.tracking.faults
        if self._refusal is not None and now < self._refusal[1]:
            return reasons | {self._refusal[0]}
        self._refusal = None
        return reasons
