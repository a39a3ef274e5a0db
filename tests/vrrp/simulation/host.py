"""A director: power, a clock, a kernel, and the processes of its service: a guard, a machine."""

import random
from collections.abc import Callable
from functools import lru_cache, partial

from tests.vrrp.simulation.cluster import Change, home, node_address
from tests.vrrp.simulation.conduct import BrokenError
from tests.vrrp.simulation.engine import Clock, Engine
from tests.vrrp.simulation.kernel import Kernel
from tests.vrrp.simulation.network import Network
from tests.vrrp.simulation.process import Process
from tests.vrrp.simulation.warden import Warden
from tests.vrrp.simulation.wires import Wires

from libra_vrrp import routing
from libra_vrrp.bequest import NEVER, parse
from libra_vrrp.codec import Datagram
from libra_vrrp.guarding import HandOver
from libra_vrrp.orders import Instance
from libra_vrrp.router import effective
from libra_vrrp.rtnetlink import IpAddress, Said
from libra_vrrp.shell.virtual_router import RETRY_REFUSED, VirtualRouter
from libra_vrrp.states import Backup, Fault, Input, Master, Released, State, Yield
from libra_vrrp.unclean import unclean_at

HEARD = 0.2
"""Seconds after which a death has been told of, on a network that carries everything."""
LONG = 30.0
"""Seconds in which an end may still be on its way to who is to hear of it."""

_entry = lru_cache(routing.rule)


class Host:
    """`lateness` is how late its processes wake up, in seconds."""

    def __init__(
        self,
        network: Network,
        wires: Wires,
        dice: random.Random,
        clock: Clock,
        orders: tuple[Instance, ...],
        lateness: float,
    ) -> None:
        self.engine: Engine = network.engine
        self.dice, self.clock, self.orders, self.lateness = dice, clock, orders, lateness
        self.number = len(network.receivers)
        self.name = f"r{self.number}"
        self.homes = {one.family: _home(one, self.number) for one in orders}
        network.join(self._receive, self.homes.values())
        self.kernel = Kernel(self.engine, dice, clock, self.homes.values())
        self.kernel.said = self._kernel_says
        self.kernel.on_expiry = self._expires
        self.wires, self.node = wires, node_address(self.number)
        wires.join(self.node, self.number, lambda: self.is_on and self.kernel.up)
        self.warden: Warden | None = None
        self.machines: list[Process] = []
        self.others: dict[str, Host] = {}
        self.is_on, self.boot = True, "1"
        self.mortal_at = float("-inf")
        self.heard_at: dict[str, float] = {}
        self.bereft: frozenset[str] = frozenset()
        self.deltas: dict[str, int] = {}
        self.held_until = self.excused_until = 0.0
        self.on_change: Callable[[Host], None] = lambda _: None
        self._network = network
        self._read_at: float | None = None
        self._is_marked, self.unclean_at = False, NEVER
        self._list_made_at = 0.0

    @property
    def process(self) -> Process | None:
        """The machine that works, or would go on if it were let."""
        working = (one for one in self.machines[::-1] if not (one.is_dead or one.is_stopping))
        return next(working, None)

    def start(self, left: bytes | None = None) -> None:
        """Begin a life of the service, unless one has begun: it takes what was left to it."""
        if self.is_on and (self.warden is None or self.warden.is_dead):
            self.engine.disturb(self.name, "its service starts")
            bequest = None if left is None else parse(left)
            bequest = bequest if bequest and bequest.place == self.boot else None
            now, is_marked, self._is_marked = self._clock(), self._is_marked, True
            self.unclean_at = unclean_at(bequest, now, is_marked=is_marked)
            self.warden = Warden(self, bequest, self.unclean_at)

    def booted(self, process: Process) -> None:
        """Know that a machine works."""
        self.engine.disturb(self.name, "starts")
        self.bereft = frozenset()
        self.machines.append(process)
        process.begin()
        for name, delta in self.deltas.items():
            process.weigh(name, delta)

    def has_died(self, process: Process) -> None:
        """Know that a machine does nothing any more."""
        self.engine.disturb(self.name, "its machine has ended")
        masters = (one.name for one in process.roster if isinstance(one.state, Master))
        self.bereft = frozenset(masters)
        if self.warden is None or self.warden.is_dead:
            self.mortal("nobody guards")

    def is_gone(self, process: Process | None) -> None:
        """Know that nothing of a machine is under way any more."""
        if process is not None:
            self.machines.remove(process)

    def mortal(self, why: str) -> None:
        """Know that its tethers end from now on, or that it dies."""
        self.mortal_at = self.engine.now
        self.engine.disturb(self.name, why)

    def bereaved(self, name: str) -> None:
        """Judge that a tether tells of a death: there is one, or somebody forged it."""
        other = self.others[name]
        forged_at = self.wires.forged_at.get((self.node, other.node), float("-inf"))
        if self.engine.now - max(other.mortal_at, forged_at) > LONG:
            raise BrokenError(f"a tether tells {self.name} that {name} died, which lives")
        self.heard_at[name] = self.engine.now
        self.engine.disturb(self.name, f"the tether to {name} has ended")

    def is_heard(self) -> bool:
        """Say whether what it says now reaches every other host."""
        ways = (self.wires.is_way(self.node, other.node) for other in self.others.values())
        return all(ways) and not self._network.weather.loss

    def expect_to_hear(self, dead: "Host") -> None:
        """Judge that a tether tells of a death soon, unless something is in its way meanwhile."""
        process, killed_at = self.process, self.engine.now
        is_whole = self.wires.is_whole(self.node, dead.node)
        if process is None or not is_whole or not process.is_tied_to(dead.name):
            return

        def look() -> None:
            now, heard_at = self.engine.now, self.heard_at.get(dead.name, float("-inf"))
            is_way = self.wires.is_way(self.node, dead.node) and not self._network.weather.loss
            if heard_at >= killed_at or process.is_paused or self.process is not process:
                return
            if is_way and now > killed_at + HEARD:
                raise BrokenError(f"no tether tells {self.name} that {dead.name} died")
            if is_way:
                self.engine.after(HEARD / 10, look)

        look()

    def judge_given_up(self, lost: HandOver) -> None:
        """Judge what a guard does in place of its machine: only what no machine holds any more."""
        for process in self.machines:
            for one in process.roster if not process.is_dead else ():
                held = {place.address for place in one.order.held}
                if isinstance(one.state, Master) and held & {t.address for t in lost.targets}:
                    raise BrokenError(f"{self.name}: the guard gives up what a machine holds")

    def kill(self) -> None:
        """Kill the machine."""
        if self.process is not None:
            self.engine.disturb(self.name, "is killed")
            self.process.kill()

    def kill_guard(self) -> None:
        """Kill the guard: the machine is told to end."""
        if self.warden is not None and not self.warden.is_dead:
            self.engine.disturb(self.name, "its guard is killed")
            if self.process is None or self.warden.holds_more:
                self.mortal("nothing is left of it, or it ends without a bye")
            self.warden.kill()

    def kill_all(self) -> None:
        """Kill guard and machine at once."""
        self.mortal("all of it is killed")
        for other in self.others.values():
            other.expect_to_hear(self)
        for process in [*self.machines]:
            process.kill()
        self.kill_guard()

    def stop(self, then: Callable[[], None]) -> None:
        """End the service in order."""
        if self.warden is not None:
            self.engine.disturb(self.name, "is stopped in order")
            self.warden.stop(partial(self._is_over, then))

    def leave(self, told: int, then: Callable[[bytes | None], None]) -> None:
        """End the service, which leaves what it holds to the next."""
        if self.warden is not None:
            self.engine.disturb(self.name, f"is told to leave ({told})")
            self.warden.leave(told, lambda left: self._is_over(partial(then, left)))

    def _is_over(self, then: Callable[[], None]) -> None:
        """Have the next service know that this one ended in order, or as it was told to."""
        self._is_marked = False
        then()

    def pause(self, process: Process, *, is_reading: bool) -> None:
        """Stop a machine (SIGSTOP), where `is_reading` right after it read the clock."""
        if not process.is_paused:
            self.engine.disturb(self.name, "is paused")
            self._read_at = self._clock() if is_reading else None
            process.pause()

    def resume(self, process: Process) -> None:
        """Let a machine go on (SIGCONT)."""
        if process.is_paused and not process.is_dead:
            self.engine.disturb(self.name, "goes on")
            process.resume(stale=self._read_at)

    def power(self, *, on: bool) -> None:
        """Switch the host off, or on again: then nothing is left of before."""
        if on == self.is_on:
            return
        self.mortal("is switched on" if on else "is switched off")
        self.is_on = on
        if on:
            self.boot += "1"
            self.start()
            return
        self.kernel.power_off()
        self.wires.power_off(self.node)
        for process in [*self.machines]:
            process.kill()
        if self.warden is not None:
            self.warden.kill()

    def plug(self, *, up: bool) -> None:
        """Pull the cable, or plug it in."""
        if self.kernel.up != up:
            self.engine.disturb(self.name, "link up" if up else "link down")
            self.kernel.set_link(up=up)

    def reload(self, change: Change, made_at: float) -> None:
        """Have another list of routers, which the machine reads at once, or when it starts."""
        if made_at < self._list_made_at:
            return
        self._list_made_at = made_at
        self.orders = change(self.orders)
        self.engine.disturb(self.name, f"another list: {_told(self.orders)}")
        for process in self.machines:
            process.reload(self.orders)

    def instruct(self, name: str, given: Input) -> None:
        """Have the operator say something."""
        if self.process is None:
            return
        self.engine.disturb(self.name, f"operator: {given}")
        self.process.instruct(name, given)

    def obeyed(self, given: Input | None) -> None:
        """Know that the operator's word, or a list, arrived: the end of a hold will be a cause."""
        if isinstance(given, Yield):
            self.held_until = self.engine.now + given.hold / self.clock.rate
            self.engine.at(self.held_until, partial(self.engine.disturb, self.name, "hold over"))
        elif isinstance(given, Released):
            self.held_until = 0.0
        self.engine.disturb(self.name, "obeys")

    def weigh(self, name: str, delta: int) -> None:
        """Have a tracked object move the priority."""
        self.engine.disturb(self.name, f"priority moves by {delta}")
        self.deltas[name] = delta
        for process in self.machines:
            process.weigh(name, delta)

    def transmit(self, datagram: Datagram) -> bool:
        """Send a datagram if the link is up."""
        if self.is_on and self.kernel.up:
            self._network.send(self.number, datagram)
        return self.is_on and self.kernel.up

    def changed(self) -> None:
        """Judge a change of state."""
        self.engine.is_changed = True
        self.on_change(self)

    def entered(self, state: State) -> None:
        """Know what a state has in store that will be a cause of changes."""
        match state:
            case Fault():
                again = partial(self.engine.disturb, self.name, "addresses are tried again")
                self.engine.after(RETRY_REFUSED / self.clock.rate, again)
            case Backup(held_until=float(until)):
                self._hold_back(self.clock.world(until))
            case _:
                pass

    def router(self, name: str) -> VirtualRouter | None:
        """Return the virtual router of a process that works."""
        process = self.process
        return None if process is None or process.is_paused else process.roster.get(name)

    def state(self, name: str) -> State | None:
        """Return the state of a virtual router that takes part; None where it does not."""
        router = self.router(name)
        if router is None or not (self.is_on and self.kernel.up):
            return None
        return router.state if isinstance(router.state, Master | Backup) else None

    @property
    def is_contested(self) -> bool:
        """Say whether a machine before this one has not quite ended, which this one waits for."""
        return self.process is not None and self.process.claim.rival is not None

    @property
    def is_held(self) -> bool:
        """Say whether it leaves a lower master alone for a while, by whoever's word."""
        return self.engine.now <= max(self.held_until, self.excused_until)

    def priority(self, name: str) -> int:
        """Return the priority of an instance, with what tracking adds to it."""
        order = next(one for one in self.orders if one.name == name)
        return effective(order.priority, (self.deltas.get(name, 0),))

    def owns(self, order: Instance) -> bool:
        """Say whether the neighbours find any of the addresses here."""
        is_there = self.is_on and self.kernel.up
        return is_there and any(self.kernel.holds(place.address) for place in order.places)

    def unguarded(self, order: Instance) -> str:
        """Say whether a guard that works leaves the addresses where no machine works for them."""
        if self.warden is None or not self.warden.works:
            return ""
        process = self.process
        if process is None:
            return "abandoned" if order.name in self.bereft else ""
        router = process.roster.get(order.name) if process.is_paused else None
        return "hung" if router is not None and isinstance(router.state, Master) else ""

    def owns_all(self, order: Instance) -> bool:
        """Say whether the kernel has every one of the addresses."""
        return all(self.kernel.holds(place.address) for place in order.places)

    def has_rules(self, order: Instance) -> bool:
        """Say whether the kernel has what goes with the addresses."""
        return any(self.kernel.has(_entry(rule)) for rule in order.rules)

    def _clock(self) -> float:
        return self.clock.at(self.engine.now)

    def _hold_back(self, until: float) -> None:
        """Know that a router holds back by itself, as one whose kernel is mute does."""
        if until > self.held_until + 2 * self.lateness:
            self.excused_until = until
            self.engine.at(until, partial(self.engine.disturb, self.name, "held back no more"))

    def _receive(self, datagram: Datagram) -> None:
        if self.is_on and self.kernel.up:
            for process in self.machines:
                process.receive(datagram)

    def _kernel_says(self, said: Said) -> None:
        for process in self.machines:
            process.kernel_says(said)

    def _expires(self, address: IpAddress) -> None:
        self.engine.note(self.name, f"the kernel takes {address} back")
        for process in self.machines:
            if not (process.is_paused or process.is_dead):
                process.conduct.expires(address, self._clock())


def _home(order: Instance, number: int) -> IpAddress:
    """Return the address that a host speaks from as a router."""
    return order.source or home(number, order.family, is_unicast=False)


def _told(orders: tuple[Instance, ...]) -> str:
    return ", ".join(
        f"{one.name} {one.priority} {[str(place.address) for place in one.places]}, "
        f"lease {one.terms.duration} s"
        for one in orders
    )
