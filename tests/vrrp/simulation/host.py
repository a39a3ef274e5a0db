"""A director: power, a clock, a kernel, and the machine process with what starts it again."""

import random
from collections.abc import Callable
from functools import partial

from tests.vrrp.simulation.cluster import Change, home
from tests.vrrp.simulation.engine import Clock, Engine
from tests.vrrp.simulation.kernel import SERVICE, Kernel
from tests.vrrp.simulation.network import Network
from tests.vrrp.simulation.process import Process

from libra_vrrp import routing
from libra_vrrp.bequest import NEVER
from libra_vrrp.codec import Datagram
from libra_vrrp.orders import Instance
from libra_vrrp.router import effective
from libra_vrrp.rtnetlink import IpAddress, Said
from libra_vrrp.shell.virtual_router import RETRY_REFUSED, VirtualRouter
from libra_vrrp.states import Backup, Fault, Input, Master, Released, State, Yield


class Host:
    """`process` is None between two lives; `lateness` is how late it wakes up, in seconds."""

    def __init__(
        self,
        network: Network,
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
        self.process: Process | None = None
        self.is_on = True
        self.deltas: dict[str, int] = {}
        self.held_until = self.excused_until = 0.0
        self.on_change: Callable[[Host], None] = lambda _: None
        self._network = network
        self._read_at: float | None = None
        self._was_killed, self.unclean_at = False, NEVER
        self._list_made_at = 0.0

    def start(self, died_at: float | None = None) -> None:
        """Begin a life of the machine, unless one has begun.

        The one before has not quite ended while the kernel carries out a request of its.
        """
        if self.kernel.under_way:
            again = max(self.engine.now, self.kernel.stuck_until) + SERVICE
            self.engine.at(again, partial(self.start, died_at))
        elif self.is_on and self.process is None:
            self.engine.disturb(self.name, "starts")
            if died_at is None:  # no guard outlived the one before
                self.unclean_at = self.clock.at(self.engine.now) if self._was_killed else NEVER
            self._was_killed = True
            self.process = Process(self, died_at)
            for name, delta in self.deltas.items():
                self.process.weigh(name, delta)

    def crash(self, restart: float | None) -> None:
        """Kill the machine; its parent starts it again after so many seconds, or nobody does."""
        if self.process is None:
            return
        self.engine.disturb(self.name, "is killed")
        self.process.kill()
        self.process = None
        if restart is not None:
            died_at = self.clock.at(self.engine.now)
            self.engine.after(restart, partial(self.start, died_at))

    def stop(self) -> None:
        """End the machine in order."""
        if self.process is not None and not self.process.is_paused:
            self.engine.disturb(self.name, "is stopped in order")
            self.process.stop()
            self.process, self._was_killed = None, False

    def pause(self, *, is_reading: bool) -> None:
        """Stop the process (SIGSTOP), where `is_reading` right after it read the clock."""
        if self.process is not None and not self.process.is_paused:
            self.engine.disturb(self.name, "is paused")
            self._read_at = self.clock.at(self.engine.now) if is_reading else None
            self.process.pause()

    def resume(self) -> None:
        """Let the process go on (SIGCONT)."""
        if self.process is not None and self.process.is_paused:
            self.engine.disturb(self.name, "goes on")
            self.process.resume(stale=self._read_at)

    def power(self, *, on: bool) -> None:
        """Switch the host off, or on again: then nothing is left of before."""
        if on == self.is_on:
            return
        self.engine.disturb(self.name, "is switched on" if on else "is switched off")
        self.is_on = on
        if on:
            self.start()
            return
        self.kernel.power_off()
        if self.process is not None:
            self.process.kill()
            self.process = None

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
        if self.process is not None:
            self.process.reload(self.orders)

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
        if self.process is not None:
            self.process.weigh(name, delta)

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

    def owns_all(self, order: Instance) -> bool:
        """Say whether the kernel has every one of the addresses."""
        return all(self.kernel.holds(place.address) for place in order.places)

    def has_rules(self, order: Instance) -> bool:
        """Say whether the kernel has what goes with the addresses."""
        return any(self.kernel.has(routing.rule(rule)) for rule in order.rules)

    def _hold_back(self, until: float) -> None:
        """Know that a router holds back by itself, as one whose kernel is mute does."""
        if until > self.held_until + 2 * self.lateness:
            self.excused_until = until
            self.engine.at(until, partial(self.engine.disturb, self.name, "held back no more"))

    def _receive(self, datagram: Datagram) -> None:
        if self.process is not None and self.is_on and self.kernel.up:
            self.process.receive(datagram)

    def _kernel_says(self, said: Said) -> None:
        if self.process is not None:
            self.process.kernel_says(said)

    def _expires(self, address: IpAddress) -> None:
        self.engine.note(self.name, f"the kernel takes {address} back")
        process = self.process
        if process is not None and not process.is_paused:
            process.conduct.expires(address, self.clock.at(self.engine.now))


def _home(order: Instance, number: int) -> IpAddress:
    """Return the address that a host speaks from as a router."""
    return order.source or home(number, order.family, is_unicast=False)


def _told(orders: tuple[Instance, ...]) -> str:
    return ", ".join(
        f"{one.name} {one.priority} {[str(place.address) for place in one.places]}, "
        f"lease {one.terms.duration} s"
        for one in orders
    )
