"""TCP between the hosts, as far as ends of connections go (RFC 9293; Linux's net/ipv4/tcp*.c).

What is sent arrives whole and in order, again and again until it does; a RST is sent once. Who
closes with octets unread resets; what arrives for a connection that is gone is reset. A connection
outlives its process for as long as anybody holds a descriptor of it, and a host only in the mind
of the other end.
"""

import errno
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final

from tests.vrrp.simulation.network import Network

from libra_vrrp.rtnetlink import IpAddress
from libra_vrrp.shell.tcp import IDLE, TRIES

AGAIN: Final = 0.2
"""Seconds until what did not arrive is sent once more; doubled up to `LONGEST`."""
LONGEST: Final = 5.0
SYN_AGAIN: Final = 1.0
GIVEN_UP: Final = float(IDLE * (TRIES + 1))
"""TCP_USER_TIMEOUT, which production sets."""
_RESET: Final = b""
"""Stands for a RST among what is sent: it overtakes nothing (RFC 5961 section 3.2)."""


class End:
    """One host's end of a connection; `plugged` are told when there is something to read."""

    def __init__(self, wires: "Wires", own: IpAddress, other: IpAddress) -> None:
        self.own, self.other = own, other
        self.far: End | None = None
        self.inbox = bytearray()
        self.has_fin = self.is_shut = self.is_gone = self.is_connecting = self.is_mute = False
        self.error = 0
        self.plugged: list[Callable[[], None]] = []
        self._wires = wires
        self._out: deque[bytes | None] = deque()
        self._stuck_since: float | None = None

    def put(self, octets: bytes | None) -> None:
        """Send octets, or a FIN where there are none."""
        self._out.append(octets)
        if len(self._out) == 1:
            self._wires.carry(partial(self._try, AGAIN))

    def shut(self) -> None:
        """Send a FIN, and read to the end of file (shutdown(2))."""
        if not self.is_shut:
            self.is_shut = True
            if not self.is_gone:
                self.put(None)
            self.stir()

    def let_go(self) -> None:
        """Know that nobody holds a descriptor any more; one in repair ends `is_mute`."""
        if self.is_gone or self.is_mute:
            self._forget()
            return
        if self.inbox:
            self.is_gone = True
            self.put(_RESET)
        elif not self.is_shut:
            self.is_shut = True
            self.put(None)

    def arrive(self, octets: bytes | None) -> None:
        """Take in what the other end sent."""
        is_closed = self.is_gone or (octets is not None and (self.is_shut or not self.plugged))
        if is_closed:
            self._forget()
            self._tell_reset()
        elif octets is None:
            self.has_fin = True
        else:
            self.inbox += octets
        self.stir()

    def fail(self, error: int) -> None:
        """End it here, for a reason of errno(3)."""
        if not self.is_gone:
            self.error = error
            self._forget()
            self.stir()

    def vanish(self) -> None:
        """Forget it without a word, as a host does that loses power."""
        self._forget()

    def destroy(self) -> None:
        """End it on this host (ss -K), and reset it there."""
        if not self.is_gone:
            self.fail(errno.ECONNABORTED)
            self._tell_reset()

    def forge(self, error: int) -> None:
        """End it for this end alone, by a FIN, or by an error."""
        if error:
            self.fail(error)
        else:
            self.has_fin = True
            self.stir()

    def stir(self) -> None:
        """Wake who waits for it."""
        for each in self.plugged:
            each()

    def ask(self, missed: int = 0) -> None:
        """Ask now and then whether the other host is there (SO_KEEPALIVE)."""
        if self.is_gone or not self.plugged or self.far is None:
            return
        if self._wires.is_way(self.own, self.other):
            missed = 0
            if self.far.is_gone:
                self.fail(errno.ECONNRESET)
        else:
            missed += 1
            if missed > TRIES:
                self.fail(errno.ETIMEDOUT)
        self._wires.engine.after(IDLE, partial(self.ask, missed))

    def _try(self, again: float) -> None:
        if self.far is None or not self._out:
            return
        if not self._wires.gets_through(self.own, self.other):
            self._put_off(again)
            return
        self._stuck_since = None
        out, self._out = self._out, deque()
        for octets in out:
            if octets == _RESET:
                self.far.fail(errno.ECONNRESET)
            else:
                self.far.arrive(octets)

    def _put_off(self, again: float) -> None:
        if self.is_gone:
            self._out.clear()
            return
        now = self._wires.engine.now
        self._stuck_since = now if self._stuck_since is None else self._stuck_since
        if now - self._stuck_since > GIVEN_UP:
            self.fail(errno.ETIMEDOUT)
        else:
            self._wires.engine.after(again, partial(self._try, min(2 * again, LONGEST)))

    def _forget(self) -> None:
        self.is_gone = True
        self._out.clear()

    def _tell_reset(self) -> None:
        if (far := self.far) is not None:
            self._wires.carry(partial(self._reset, far))

    def _reset(self, far: "End") -> None:
        if self._wires.is_way(self.own, self.other):
            far.fail(errno.ECONNRESET)


class Ear:
    """A port that listens: who knocks is let in by the kernel, and waits for `accept`."""

    def __init__(self, wires: "Wires", own: IpAddress) -> None:
        self.own = own
        self.waiting: deque[End] = deque()
        self.plugged: list[Callable[[], None]] = []
        self._wires = wires
        wires.ears.setdefault(own, []).append(self)

    def admit(self, end: End) -> None:
        """Let one in."""
        end.plugged.append(self._stir)
        self.waiting.append(end)
        self._stir()

    def accept(self, plug: Callable[[End], None]) -> None:
        """Hand the first over that waits."""
        end = self.waiting.popleft()
        plug(end)
        end.plugged.remove(self._stir)

    def shut(self) -> None:
        """Listen no more, and reset who waits."""
        if self in (ears := self._wires.ears.get(self.own, [])):
            ears.remove(self)
        while self.waiting:
            self.waiting.popleft().destroy()

    def _stir(self) -> None:
        for each in [*self.plugged]:
            each()


class Wires:
    """Every connection of a world; `hosts` are the numbers of who has which address."""

    def __init__(self, network: Network) -> None:
        self.engine = network.engine
        self.hosts: dict[IpAddress, int] = {}
        self.ends: list[End] = []
        self.is_lying: set[tuple[IpAddress, IpAddress]] = set()
        self.forged_at: dict[tuple[IpAddress, IpAddress], float] = {}
        self._network = network
        self.ears: dict[IpAddress, list[Ear]] = {}
        self._on: dict[int, Callable[[], bool]] = {}

    def join(self, own: IpAddress, number: int, is_on: Callable[[], bool]) -> None:
        """Plug a host in that says whether it has power and its cable."""
        self.hosts[own], self._on[number] = number, is_on

    def carry(self, act: Callable[[], None]) -> None:
        """Have something happen at the other end of the way."""
        self.engine.after(self._network.dice.uniform(0, self._network.delay), act)

    def is_way(self, one: IpAddress, other: IpAddress) -> bool:
        """Say whether packets go both ways; a lost one is sent again."""
        here, there = self.hosts[one], self.hosts[other]
        both = self._network.reaches(here, there) and self._network.reaches(there, here)
        return both and self._on[here]() and self._on[there]()

    def gets_through(self, one: IpAddress, other: IpAddress) -> bool:
        """Say whether a packet that is sent now is acknowledged."""
        is_lost = self._network.dice.random() < self._network.weather.loss
        return self.is_way(one, other) and not is_lost

    def dial(self, end: End) -> None:
        """Connect; the end is stirred when that came to something."""
        if not self._on[self.hosts[end.own]]():
            raise OSError(errno.ENETUNREACH, "Network is unreachable")
        end.is_connecting = True
        self.carry(partial(self._knock, end, SYN_AGAIN))

    def power_off(self, own: IpAddress) -> None:
        """Have a host forget everything."""
        for ear in self.ears.pop(own, []):
            ear.waiting.clear()
        for end in self.between(own):
            if end.own == own:
                end.vanish()

    def between(self, one: IpAddress, other: IpAddress | None = None) -> list[End]:
        """Return the ends of connections of a host, with another or with all."""
        self.ends = [end for end in self.ends if end.plugged and not end.is_gone]
        found = [end for end in self.ends if one in {end.own, end.other}]
        return [end for end in found if other is None or other in {end.own, end.other}]

    def is_whole(self, one: IpAddress, other: IpAddress) -> bool:
        """Say whether every connection of two is one at both ends, as far as their kernels know."""
        ends = self.between(one, other)
        return all(end.far is not None and not end.far.is_gone for end in ends)

    def _knock(self, end: End, again: float) -> None:
        """Let a SYN arrive; who lies answers it in place of the other host."""
        if end.is_gone or not end.plugged:
            return
        if (end.own, end.other) in self.is_lying:
            self.carry(partial(self._answer, end, errno.ECONNREFUSED))
            return
        if not self.gets_through(end.own, end.other):
            self.engine.after(again, partial(self._knock, end, 2 * again))
            return
        ears = self.ears.get(end.other, [])
        if ears:
            far = End(self, end.other, end.own)
            far.far, end.far = end, far
            self._network.dice.choice(ears).admit(far)
        self.carry(partial(self._answer, end, 0 if ears else errno.ECONNREFUSED))

    def _answer(self, end: End, error: int) -> None:
        if end.is_gone or not end.is_connecting:
            return
        end.is_connecting = False
        if error:
            end.fail(error)
            return
        self.ends += [end] if end.far is None else [end, end.far]
        for each in (end, end.far):
            if each is not None:
                self.engine.after(IDLE, each.ask)
        end.stir()
