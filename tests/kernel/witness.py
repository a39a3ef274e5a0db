"""Who sees it all: which director held the address when, and what was said, on one clock."""

import socket
import subprocess
import sys
import threading
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from itertools import pairwise
from pathlib import Path
from typing import Final

from tests.kernel.watcher import CABLE, ETH_P_IP, KERNEL

from libra_lab.node import Node
from libra_vrrp import rtnetlink
from libra_vrrp.rtnetlink import IpAddress

ETH_P_ALL: Final = 0x0003
WATCHER: Final = Path(__file__).with_name("watcher.py")


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
        speaker, first = ip_address(source), bisect_left(self.adverts, since, key=lambda s: s.at)
        return [said for said in self.adverts[first:] if said.source == speaker]

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
    with ExitStack() as stack:
        sockets = [(KERNEL, node.name, node.call(_addresses)) for node in directors]
        sockets.append((CABLE, "", client.call(_frames, ETH_P_IP)))
        if cables:
            sockets += [(CABLE, node.name, node.call(_frames, ETH_P_ALL)) for node in directors]
        numbers = [stack.enter_context(one).fileno() for _, _, one in sockets]
        words = [f"{kind},{name},{one.fileno()}" for kind, name, one in sockets]
        watcher = subprocess.Popen(
            [sys.executable, str(WATCHER), str(address), *words],
            pass_fds=numbers,
            stdout=subprocess.PIPE,
            text=True,
        )
    assert watcher.stdout is not None
    assert watcher.stdout.readline() == "watching\n"
    seen = Witness(address)
    reading = threading.Thread(target=_read, args=(seen, watcher.stdout), daemon=True)
    reading.start()
    try:
        yield seen
    finally:
        watcher.kill()
        watcher.wait()
        reading.join()
        watcher.stdout.close()


def _read(seen: Witness, lines: Iterable[str]) -> None:
    """Take in what the watcher tells."""
    for line in lines:
        at, kind, what, priority, name = line.rstrip("\n").split(" ")
        if kind == CABLE:
            said = Said(float(at), ip_address(what), int(priority), name)
            (seen.words if name else seen.adverts).append(said)
        elif (name in seen.owners()) != (what == "taken"):
            seen.changes.append(Held(float(at), name, what == "taken"))


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
