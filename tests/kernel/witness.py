"""Who sees it all: which director held the address when, and what was said, on one clock."""

import select
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from itertools import pairwise
from typing import Final

from libra_lab.node import Node
from libra_vrrp import rtnetlink
from libra_vrrp.rtnetlink import AddressGone, AddressHeld, IpAddress

ETH_P_ALL: Final = 0x0003
ETH_P_IP: Final = 0x0800
ETH_P_IPV6: Final = 0x86DD
VRRP: Final = 112


@dataclass(frozen=True)
class Held:
    """A director took the address, or lost it."""

    at: float
    name: str
    is_held: bool


@dataclass(frozen=True)
class Said:
    """An advertisement, as the client's cable carried it, or that of the director of this name."""

    at: float
    source: IpAddress
    priority: int
    name: str = ""


@dataclass
class Witness:
    """The changes since it was made, in order; times are monotonic seconds."""

    address: IpAddress
    changes: list[Held] = field(default_factory=list)
    adverts: list[Said] = field(default_factory=list)
    words: list[Said] = field(default_factory=list)
    """What each director said into its own cable, whoever was to hear it (`cables`)."""

    def owners(self, at: float = float("inf")) -> set[str]:
        """Return who held the address at a moment."""
        owners: set[str] = set()
        for change in self.changes:
            if change.at <= at:
                owners = owners | {change.name} if change.is_held else owners - {change.name}
        return owners

    def shared(self, since: float) -> float:
        """Return for how many seconds more than one held it, up to now."""
        return self._seconds(since, 2, 99)

    def gap(self, since: float) -> float:
        """Return for how many seconds nobody held it, up to now."""
        return self._seconds(since, 0, 0)

    def words_of(self, name: str, since: float) -> list[Said]:
        """Return what a director said as a master, since a moment; not that it gives up."""
        return [s for s in self.words if s.at >= since and s.name == name and s.priority]

    def gave_up(self, name: str, since: float) -> float | None:
        """Return when a director said priority 0, if it did."""
        times = [s.at for s in self.words if s.at >= since and s.name == name and not s.priority]
        return times[0] if times else None

    def both_spoke(self, since: float) -> float:
        """Return for how many seconds two spoke as masters: between first and last words."""
        names = {said.name for said in self.words if said.at >= since and said.priority}
        said = [self.words_of(name, since) for name in names]
        began, ended = sorted(w[0].at for w in said), sorted(w[-1].at for w in said)
        return max(0.0, ended[-2] - began[1]) if len(said) > 1 else 0.0

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
        return [s for s in self.adverts if s.at >= since and s.source == ip_address(source)]

    def _seconds(self, since: float, least: int, most: int) -> float:
        times = [since, *(c.at for c in self.changes if c.at > since), time.monotonic()]
        return sum(b - a for a, b in pairwise(times) if least <= len(self.owners(a)) <= most)


@contextmanager
def witness(
    address: IpAddress, directors: Sequence[Node], client: Node, *, cables: bool = False
) -> Iterator[Witness]:
    """Watch the directors' addresses and what the client hears, while the block runs.

    With `cables`, what each director says too: of either family, to the group or to a peer alone.
    """
    seen = Witness(address)
    names = {node.call(_addresses): node.name for node in directors}
    frames = {client.call(_frames, ETH_P_IP): ""}
    if cables:
        frames |= {node.call(_frames, ETH_P_ALL): node.name for node in directors}
    stop, stopped = socket.socketpair()
    watching = threading.Thread(target=_watch, args=(seen, names, frames, stopped), daemon=True)
    watching.start()
    try:
        yield seen
    finally:
        stop.close()
        watching.join()
        for one in (*names, *frames, stopped):
            one.close()


def _watch(
    seen: Witness,
    names: dict[socket.socket, str],
    frames: dict[socket.socket, str],
    stopped: socket.socket,
) -> None:
    poll = select.epoll()
    by_number = {one.fileno(): one for one in (*names, *frames, stopped)}
    for number in by_number:
        poll.register(number, select.EPOLLIN)
    while True:
        for number, _ in poll.poll():
            one, now = by_number[number], time.monotonic()
            if one is stopped:
                return
            if one in frames:
                _note_advert(seen, frames[one], one, now)
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


def _note_advert(seen: Witness, name: str, cable: socket.socket, now: float) -> None:
    frame, sender = cable.recvfrom(2048)
    said = _advert(frame, name, now)
    if said is None:
        return
    if not name:
        seen.adverts.append(said)
    elif sender[2] == socket.PACKET_OUTGOING:
        seen.words.append(said)


def _advert(frame: bytes, name: str, now: float) -> Said | None:
    kind, packet = int.from_bytes(frame[12:14]), frame[14:]
    if kind == ETH_P_IP and packet[9] == VRRP:
        size = (packet[0] & 15) * 4
        return Said(now, ip_address(packet[12:16]), packet[size + 2], name)
    if kind == ETH_P_IPV6 and packet[6] == VRRP:
        return Said(now, ip_address(packet[8:24]), packet[42], name)
    return None


def _addresses() -> socket.socket:
    netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    netlink.bind((0, rtnetlink.GROUP_IPV4_ADDRESS | rtnetlink.GROUP_IPV6_ADDRESS))
    return netlink


def _frames(kind: int) -> socket.socket:
    """Return what hears a cable; only of all kinds together does it hear what goes out."""
    frames = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(kind))
    frames.bind(("eth0", kind))
    return frames


def figures(seconds: Sequence[float]) -> str:
    """Say the median and the worst, in milliseconds."""
    ordered = sorted(seconds)
    median, worst = ordered[len(ordered) // 2], ordered[-1]
    return f"median {median * 1000:.1f} ms, worst {worst * 1000:.1f} ms of {len(ordered)}"
