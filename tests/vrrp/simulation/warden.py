"""One life of a guard: production's custody of the machine, on the ground of the simulation.

It does what `libra_vrrp.shell.guard` does with its sockets; while the kernel lets it wait it does
nothing else.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, TypeAlias, assert_never, cast

from tests.vrrp.simulation.conduct import BrokenError
from tests.vrrp.simulation.life import Life
from tests.vrrp.simulation.plugs import Line, Plugs
from tests.vrrp.simulation.rounds import Rounds
from tests.vrrp.simulation.stand_ins import Page

from libra_vrrp import custody, wills
from libra_vrrp.bequest import NEVER, Bequest, render
from libra_vrrp.codec import Datagram, decode_packet
from libra_vrrp.codec.advertisement import HOPS
from libra_vrrp.custody import Cut, Effect, GiveUp, Hold, Kill, Outlive
from libra_vrrp.guarding import LastWord
from libra_vrrp.renewal import Remove
from libra_vrrp.shell.child import Child
from libra_vrrp.shell.held_tethers import HeldTethers
from libra_vrrp.shell.leaving import AT_ONCE
from libra_vrrp.wills import MalformedWill

if TYPE_CHECKING:
    from tests.vrrp.simulation.host import Host

    from libra_vrrp.shell.process import Process as OsProcess

MACHINE_ENDS = 3.0
HOUR = 3600.0

Wait: TypeAlias = Callable[[Callable[[], None]], None]
"""What a guard waits for: it is told what to do then."""
Work: TypeAlias = Iterator[Wait]


class Warden:
    """It begins with what was left to it."""

    def __init__(self, host: "Host", left: Bequest | None, unclean_at: float) -> None:
        self.is_dead = self.is_paused = self.is_leaving = False
        self.custody, self._unclean_at = custody.begin(left), unclean_at
        self.child = Child("machine", self._spawn)
        self.life: Life | None = None
        self._host, self._engine = host, host.engine
        self._plugs = Plugs(host.wires, host.dice)
        self._held = HeldTethers(self._plugs.opened)
        self._line: Line | None = None
        self._page: Page | None = None
        self._planned = host.clock.at(host.engine.now)
        self._work: Work | None = None
        self._thaw: list[Callable[[], None]] = []
        self._is_missed = False
        self._rounds = Rounds(host, self._may, self._turn)
        self.wake()

    @property
    def works(self) -> bool:
        """Whether it could act at once: it waits for nothing and is not stopped."""
        return self._may() and self._work is None

    @property
    def holds_more(self) -> bool:
        """Whether it holds connections of a machine before this one, which says no bye on them."""
        return bool(self._held._former)

    @property
    def holds_any(self) -> bool:
        """Whether it holds a connection, or a port."""
        return bool(self._held._own or self._held._former)

    # -- its life

    def wake(self) -> None:
        """Have a turn, for something is there to be read, or a child has ended."""
        self._rounds.arrange(self._engine.now)

    def kill(self) -> None:
        """End it without a word (SIGKILL): the machine is told to end in order."""
        self.is_dead = True
        if self.life is not None:
            self.life.send(signal.SIGTERM)
        self._plugs.close()

    def pause(self) -> None:
        """Stop it (SIGSTOP)."""
        self.is_paused = True

    def resume(self) -> None:
        """Let it go on (SIGCONT)."""
        self._engine.disturb(self._host.name, "its guard goes on")
        self.is_paused = False
        waiting, self._thaw = self._thaw, []
        for act in waiting:
            act()
        self._rounds.forget()
        self.wake()

    def stop(self, then: Callable[[], None]) -> None:
        """End it in order (SIGTERM)."""
        self._begin_last(self._end(), then)

    def leave(self, told: int, then: Callable[[bytes | None], None]) -> None:
        """End it, and leave what the machine holds: `then` is handed the bequest."""
        left: list[bytes | None] = [None]
        self._begin_last(self._leave(told, left), lambda: then(left[0]))

    def _begin_last(self, work: Work, then: Callable[[], None]) -> None:
        if self.is_leaving or self.is_dead:
            return
        self.is_leaving = True

        def last() -> Work:
            yield from work
            self.is_dead = True
            if self._says_no_bye():
                self._host.mortal("it says no bye, or nobody hears it")
            self._plugs.close()
            then()

        self._when_free(lambda: self._drive(last()))

    def _says_no_bye(self) -> bool:
        """Say whether an end of its tethers need not be known to be in order.

        A machine says bye on its own connections alone; what it had not replaced yet ends without.
        """
        is_in_order = self.life is not None and self.life.returncode == 0
        return not is_in_order or self.holds_more or not self._host.is_heard()

    def _when_free(self, act: Callable[[], None]) -> None:
        if self.is_dead:
            return
        if self.is_paused:
            self._thaw.append(partial(self._when_free, act))
        elif self._work is not None:
            self._engine.after(self._host.lateness, partial(self._when_free, act))
        else:
            act()

    # -- its rounds

    def _may(self) -> bool:
        return not (self.is_dead or self.is_paused or self.is_leaving)

    def _turn(self) -> None:
        self._is_missed = self._work is not None
        if self._work is None:
            self.custody = custody.woken(self.custody, self._planned, self._clock())
            self._drive(self._round())

    def _drive(self, work: Work) -> None:
        """Go on until there is something to wait for, and then from there."""
        self._work = work
        wait = next(work, None)
        if wait is not None:
            wait(lambda: self._go_on(work))
        elif self._work is work:
            self._work = None

    def _go_on(self, work: Work) -> None:
        if self.is_paused:
            self._thaw.append(partial(self._go_on, work))
        elif not self.is_dead:
            self._drive(work)

    def _round(self) -> Work:
        now = self._clock()
        yield from self._hear()
        yield from self._watch(now)
        yield from self._bury(now)
        if not self.child.runs and now >= self.child.start_at:
            self._start(now)
        self.child.reap()
        starts = [] if self.child.runs else [self.child.start_at]
        due = custody.deadline(self.custody, self._promised)
        self._planned = min([due, now + HOUR, *starts])
        self._work, is_missed = None, self._is_missed
        self._is_missed = False
        at = self._engine.now if is_missed else self._host.clock.world(self._planned)
        self._rounds.arrange(max(at, self._engine.now))

    def _hear(self) -> Work:
        while self._line is not None and (received := self._line.receive()) is not None:
            said, passed = received
            self._held.receive(passed)
            with suppress(MalformedWill):  # one world's wills need no pieces
                message, started_at = wills.loads(said), self.child.started_at
                step = custody.hear(self.custody, message, started_at, self._clock())
                self.custody, effects = step
                yield from self._perform(effects)

    def _watch(self, now: float) -> Work:
        had = self.custody.ward
        step = custody.watch(self.custody, self._promised, now, runs=self.child.runs)
        self.custody, effects = step
        if Kill() in effects and not had.left:
            self._judge_kill()
        yield from self._perform(effects)

    def _bury(self, now: float) -> Work:
        if not self.child.has_ended(now):
            return
        yield from self._hear()
        promised, self._page = self._promised, None
        self.custody, effects = custody.bury(self.custody, promised, now, self.child.start_at)
        yield from self._perform(effects)

    def _end(self) -> Work:
        self.child.send(signal.SIGTERM)
        yield self._machine_ends
        self.child.await_end(MACHINE_ENDS)
        yield from self._hear()
        yield from self._give_up_all()

    def _leave(self, told: int, left: list[bytes | None]) -> Work:
        told_at, at_once = self._clock(), told == AT_ONCE
        is_in_order = at_once
        if self.child.runs:
            self.child.send(told)
            self.custody = custody.told(self.custody)
            yield self._machine_ends
            is_in_order = self.child.await_end(MACHINE_ENDS)
        yield from self._hear()
        if not is_in_order:
            yield from self._give_up_all()
            return
        step = custody.leave(self.custody, told_at, self._clock(), at_once=at_once)
        self.custody, effects = step
        yield from self._perform(effects)
        bequest = custody.bequest(self.custody, self._host.boot, told_at, self._unclean_at)
        left[0] = render(bequest)
        self._held.forsake()

    def _give_up_all(self) -> Work:
        yield from self._perform(custody.end(self.custody, self._promised, self._clock()))

    def _machine_ends(self, then: Callable[[], None]) -> None:
        """Wait for its end, `MACHINE_ENDS` at most, and for the end of a killed one."""
        life, until = self.life, self._engine.now + MACHINE_ENDS

        def look() -> None:
            if life is not None and life.returncode is None:
                if self._engine.now >= until:
                    life.kill()
                self._engine.after(0.01, look)
            else:
                then()

        look()

    # -- what it does

    def _perform(self, effects: tuple[Effect, ...]) -> Work:
        for effect in effects:
            match effect:
                case Kill():
                    self._engine.disturb(self._host.name, "the guard kills a silent machine")
                    self.child.kill()
                case GiveUp():
                    yield from self._give_up(effect)
                case Hold(tether=tether):
                    self._held.take(tether)
                case Outlive():
                    self._held.outlive()
                case Cut():
                    if self.holds_any:
                        self._host.mortal("its guard cuts the tethers")
                    self._held.cut()
                case _:
                    assert_never(effect)

    def _give_up(self, effect: GiveUp) -> Work:
        lost = effect.lost
        self._host.judge_given_up(lost)
        self._engine.disturb(self._host.name, f"handed over for the machine: {effect.why}")
        if lost.targets:
            yield partial(self._ask, Remove(lost.targets))
        for word in lost.words:
            self._host.transmit(_datagram(word))
        if lost.entries:
            yield partial(self._ask, Remove((), lost.entries))

    def _ask(self, step: Remove, then: Callable[[], None]) -> None:
        self._host.kernel.enter(step, lambda _: then())

    def _start(self, now: float) -> None:
        died_at = NEVER if self.custody.died_at is None else self.custody.died_at
        self.child.start([str(died_at), str(self._unclean_at)], [], now)

    def _spawn(self, argv: list[str], _: list[int]) -> "OsProcess":
        host = self._host
        self._page, plugs = Page(), Plugs(host.wires, host.dice, self._rouse)
        self._line = Line(plugs, self._plugs, self.wake)
        times = tuple(map(float, argv[4:]))
        life = Life(host, times, self._line, plugs, self._page, self.wake)
        self.life = life
        return cast("OsProcess", life)

    def _rouse(self) -> None:
        if self.life is not None:
            self.life.wake()

    def _clock(self) -> float:
        return self._host.clock.at(self._engine.now)

    @property
    def _promised(self) -> float:
        return float("inf") if self._page is None else self._page.promised

    def _judge_kill(self) -> None:
        process = None if self.life is None else self.life.process
        if process is None or process.is_dead:
            return
        if process.works_since + 4 * self._host.lateness < self._engine.now:
            raise BrokenError(f"{self._host.name}: the guard kills a machine that works")


def _datagram(word: LastWord) -> Datagram:
    """Read a packet of either family (RFC 8200 section 3)."""
    if word.packet[0] >> 4 == 4:
        return decode_packet(word.packet)
    source, destination = word.packet[8:24], word.packet[24:40]
    return Datagram(IPv6Address(source), IPv6Address(destination), word.packet[40:], HOPS)
