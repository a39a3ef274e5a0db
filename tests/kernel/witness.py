"""Who sees it all: which director held the address when, and what was said, on one clock."""

import select
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from itertools import pairwise
from typing import Final

from libra_lab.node import Node
from libra_vrrp import rtnetlink
from libra_vrrp.rtnetlink import AddressGone, AddressHeld

ETH_P_IP: Final = 0x0800
VRRP: Final = 112


@dataclass(frozen=True)
class Held:
    """A director took the address, or lost it."""

    at: float
    name: str
    is_held: bool


@dataclass(frozen=True)
class Said:
    """An advertisement, as the client's cable carried it."""

    at: float
    source: IPv4Address
    priority: int


@dataclass
class Witness:
    """The changes since it was made, in order; times are monotonic seconds."""

    address: IPv4Address
    changes: list[Held] = field(default_factory=list)
    adverts: list[Said] = field(default_factory=list)

    def owners(self, at: float = float("inf")) -> set[str]:
        """Return who held the address at a moment."""
        owners: set[str] = set()
        for change in self.changes:
            if change.at <= at:
                owners = owners | {change.name} if change.is_held else owners - {change.name}
        return owners

    def shared(self, since: float) -> float:
        """Return for how many seconds more than one held it."""
        return self._seconds(since, 2, 99)

    def gap(self, since: float) -> float:
        """Return for how many seconds nobody held it, up to now."""
        return self._seconds(since, 0, 0)

    def taken(self, name: str, since: float) -> float | None:
        """Return when a director took the address, if it did."""
        times = [c.at for c in self.changes if c.at >= since and c.name == name and c.is_held]
        return times[0] if times else None

    def lost(self, name: str, since: float) -> float | None:
        """Return when a director lost the address, if it did."""
        times = [c.at for c in self.changes if c.at >= since and c.name == name and not c.is_held]
        return times[0] if times else None

    def moves(self, since: float) -> list[Held]:
        """Return the changes since a moment."""
        return [change for change in self.changes if change.at >= since]

    def heard(self, source: str, since: float) -> list[Said]:
        """Return what a director said since a moment."""
        return [s for s in self.adverts if s.at >= since and s.source == IPv4Address(source)]

    def _seconds(self, since: float, least: int, most: int) -> float:
        times = [since, *(c.at for c in self.changes if c.at > since), time.monotonic()]
        return sum(b - a for a, b in pairwise(times) if least <= len(self.owners(a)) <= most)


@contextmanager
def witness(address: IPv4Address, directors: Sequence[Node], client: Node) -> Iterator[Witness]:
    """Watch the directors' addresses and what the client hears, while the block runs."""
    seen = Witness(address)
    names = {node.call(_addresses): node.name for node in directors}
    frames = client.call(_frames)
    stop, stopped = socket.socketpair()
    watching = threading.Thread(target=_watch, args=(seen, names, frames, stopped), daemon=True)
    watching.start()
    try:
        yield seen
    finally:
        stop.close()
        watching.join()
        for one in (*names, frames, stopped):
            one.close()


def _watch(
    seen: Witness,
    names: dict[socket.socket, str],
    frames: socket.socket,
    stopped: socket.socket,
) -> None:
    poll = select.epoll()
    by_number = {one.fileno(): one for one in (*names, frames, stopped)}
    for number in by_number:
        poll.register(number, select.EPOLLIN)
    while True:
        for number, _ in poll.poll():
            one, now = by_number[number], time.monotonic()
            if one is stopped:
                return
            if one is frames:
                _note_advert(seen, one.recv(2048), now)
            else:
                _note_change(seen, names[one], one.recv(1 << 16), now)


def _note_change(seen: Witness, name: str, datagram: bytes, now: float) -> None:
    for said in rtnetlink.decode(datagram):
        match said:
            case AddressHeld(address=seen.address) if name not in seen.owners():
                seen.changes.append(Held(now, name, is_held=True))
            case AddressGone(address=seen.address) if name in seen.owners():
                seen.changes.append(Held(now, name, is_held=False))
            case _:
                pass


def _note_advert(seen: Witness, frame: bytes, now: float) -> None:
    packet = frame[14:]
    if packet[9] == VRRP:
        size = (packet[0] & 15) * 4
        seen.adverts.append(Said(now, IPv4Address(packet[12:16]), packet[size + 2]))


def _addresses() -> socket.socket:
    netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    netlink.bind((0, rtnetlink.GROUP_IPV4_ADDRESS))
    return netlink


def _frames() -> socket.socket:
    frames = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_IP))
    frames.bind(("eth0", ETH_P_IP))
    return frames


def figures(seconds: Sequence[float]) -> str:
    """Say the median and the worst, in milliseconds."""
    ordered = sorted(seconds)
    median, worst = ordered[len(ordered) // 2], ordered[-1]
    return f"median {median * 1000:.1f} ms, worst {worst * 1000:.1f} ms of {len(ordered)}"
