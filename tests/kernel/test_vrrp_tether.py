"""The tether: who dies with machine and guard is succeeded at once, and nothing else is hurried."""

import re
import signal
import socket
import statistics
import struct
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from tests.kernel import stages
from tests.kernel.conftest import PATIENCE, VIP, Director, until
from tests.kernel.stages import PRIORITIES, Note, Stage, patience, restarted
from tests.kernel.stages import note as note  # noqa: PLC0414 - a fixture

from libra_lab.node import Node
from libra_schemas.config import Config
from libra_schemas.seal_keys import dumps
from libra_vrrp.checksum import internet_checksum as checksum
from libra_vrrp.lease import Terms
from libra_vrrp.orders import Place, Seal
from libra_vrrp.tether.ends import Ends
from libra_vrrp.tether.peer import CALM
from libra_vrrp.wanted import instances

pytestmark = pytest.mark.network

INTERVAL = 1.0
PORT = 9645
OWN = {"a": IPv4Address("192.0.2.1"), "b": IPv4Address("192.0.2.2"), "c": IPv4Address("192.0.2.3")}
FIN, SYN, RST, ACK = 1, 2, 4, 16
"""Flags of a TCP segment (RFC 9293 section 3.1)."""
GREETED = 44
"""Octets that each end of a tether has received once it is tied by a router in clear."""
WAIT = 3 * INTERVAL
"""What a backup waits at the least for a master that is silent; the skew comes on top."""


class Tied(Stage):
    """Directors with tethers."""

    def start(self) -> None:
        """Start all, and wait until all are tied too, and have heard who is master."""
        super().start()
        self.rest_for(2)

    def settle(self, name: str) -> None:
        """Wait until this one alone has the address, and everyone listens and is tied."""
        super().settle(name)
        until(self.is_tied, PATIENCE, "everyone is tied to everyone")

    def is_tied(self) -> bool:
        """Say whether there is one connection per pair, on which both have said how they stand."""
        return all(
            sorted(ties(director.node)) == sorted(OWN[o] for o in self.directors if o != name)
            for name, director in self.directors.items()
        )

    def takes(self, heir: Director, since: float) -> float:
        """Wait until a director has taken the address; return after how many seconds."""
        name = heir.node.name
        until(lambda: self.seen.taken(name, since), PATIENCE, f"{name} has the address")
        return (self.seen.taken(name, since) or 0.0) - since

    def rest_for(self, intervals: float) -> None:
        """Let time pass; by then a backup that heard nobody would have taken over."""
        since = time.monotonic()
        until(lambda: time.monotonic() > since + intervals * INTERVAL, PATIENCE, "time passes")


def ties(node: Node) -> list[IPv4Address]:
    """Return whom a node has tethers to, by what the kernel says."""
    wanted = f"( sport = :{PORT} or dport = :{PORT} )"
    told = node.run("ss", "-tinHO", "state", "established", wanted).stdout
    found = []
    for line in told.splitlines():
        received = re.search(r"bytes_received:(\d+)", line)
        if received and int(received[1]) >= GREETED:
            found.append(IPv4Address(line.split()[3].rpartition(":")[0]))
    return found


def connections(node: Node) -> set[tuple[str, ...]]:
    """Return both ends of each connection of a node's tethers."""
    wanted = f"( sport = :{PORT} or dport = :{PORT} )"
    told = node.run("ss", "-tnHO", "state", "established", wanted).stdout
    return {tuple(line.split()[2:4]) for line in told.splitlines()}


def differ(node: Node, before: set[tuple[str, ...]]) -> bool:
    """Say whether a node's tethers go over other connections than before."""
    return not connections(node) & before


def slay(director: Director) -> float:
    """Kill machine, guard and reporter, in one stroke; return when."""
    assert director.parent is not None
    pids = [director.pid("machine"), director.parent.pid, director.pid("reporter")]
    since = time.monotonic()
    director.node.signal(signal.SIGKILL, [pid for pid in pids if pid is not None])
    director.node.kill()
    return since


@contextmanager
def stage(
    state: Path,
    names: str,
    key: bytes | None = None,
    interval: float = INTERVAL,
    terms: Terms | None = None,
) -> Iterator[Tied]:
    """Make a network of directors that are tied, under a seal where there is a key."""

    def tie(director: Director) -> None:
        name = director.node.name
        peers = tuple((other, OWN[other]) for other in names if other != name)
        seal = None if key is None else Seal(str(key_file(state, name, key)))
        director.order = replace(director.order, tether=Ends(OWN[name], PORT, peers), seal=seal)
        director.write()

    with stages.stage(state, names, interval, terms, tie) as made:
        yield Tied(made.directors, made.client, made.seen)


def key_file(state: Path, name: str, key: bytes) -> Path:
    state.mkdir(parents=True, exist_ok=True)
    file = state / f"{name}.key"
    file.touch(mode=0o600)
    file.write_text(dumps((key,)))
    return file


@pytest.fixture(scope="module")
def trio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tied]:
    """Keep three directors, whatever is done to them."""
    with stage(tmp_path_factory.mktemp("trio"), "abc") as made:
        made.start()
        yield made


def test_machine_and_guard_killed_together_are_succeeded_at_once_by_the_highest(
    trio: Tied, note: Note
) -> None:
    took = []
    for _ in range(6):
        victim, heir = trio.owner(), trio.heir()
        trio.settle(victim)
        trio.rest_for(CALM / INTERVAL)
        since = slay(trio.directors[victim])
        took.append(trio.takes(heir, since))
        trio.owned_by(heir.node.name)
        others = trio.directors.keys() - {victim, heir.node.name}
        assert not any(trio.seen.taken(other, since) for other in others)
        trio.directors[victim].start()
        trio.settle(heir.node.name)
    note("machine and guard killed: until the highest of the rest has the address", took)
    assert statistics.median(took) < INTERVAL / 2
    assert max(took) < WAIT


def test_a_config_ties_its_nodes_and_the_event_says_why_one_took_over(tmp_path: Path) -> None:
    priority = {name: PRIORITIES[name] for name in OWN}
    front = {"interface": "eth0", "vrid": 51, "priority": priority, "addresses": [f"{VIP}/24"]}
    nodes = {name: {"address": str(address)} for name, address in OWN.items()}
    config = Config.model_validate({"version": 1, "nodes": nodes, "instances": {"front": front}})
    told = tmp_path / "told"
    with stage(tmp_path, "ab") as pair:
        for name, director in pair.directors.items():
            (director.order,) = instances(config, name)
            director.write()
        pair.directors["b"].wrapper = ("sh", "-c", f'exec "$0" "$@" 2> {told}')
        pair.start()
        since = slay(pair.directors["a"])
        assert pair.takes(pair.directors["b"], since) < WAIT
        said = re.compile(r'"vrrp.master".*"why": "tether"')
        until(lambda: said.search(told.read_text()), PATIENCE, "the event says why")
        pair.directors["a"].start()
        pair.settle("b")


def test_a_machine_killed_alone_moves_nothing_and_is_tied_again(trio: Tied) -> None:
    for _ in range(2):
        owner = trio.owner()
        trio.settle(owner)
        before, since = trio.directors[owner].pid("machine"), time.monotonic()
        trio.directors[owner].signal(signal.SIGKILL, "machine")
        restarted(trio.directors[owner], before)
        trio.rest_for(4)
        trio.settle(owner)
        assert trio.seen.moves(since) == []


def test_a_service_that_starts_again_in_place_moves_nothing_and_is_tied_again(trio: Tied) -> None:
    owner = trio.owner()
    trio.settle(owner)
    before, since = trio.directors[owner].pid("machine"), time.monotonic()
    trio.directors[owner].signal(signal.SIGUSR2, "parent")
    restarted(trio.directors[owner], before)
    trio.rest_for(4)
    trio.settle(owner)
    assert trio.seen.moves(since) == []


def test_the_next_in_rank_takes_over_where_the_first_hangs(trio: Tied) -> None:
    owner, heir = trio.owner(), trio.heir()
    (last,) = trio.directors.keys() - {owner, heir.node.name}
    trio.settle(owner)
    trio.rest_for(CALM / INTERVAL)
    heir.node.signal(signal.SIGSTOP)
    since = slay(trio.directors[owner])
    took = trio.takes(trio.directors[last], since)
    heir.node.signal(signal.SIGCONT)
    assert 0.02 <= took < WAIT
    trio.directors[owner].start()
    trio.settle(last)


def test_an_orderly_stop_is_left_to_the_priority_of_zero(trio: Tied) -> None:
    owner, heir = trio.owner(), trio.heir()
    trio.settle(owner)
    since = time.monotonic()
    trio.directors[owner].stop()
    assert trio.takes(heir, since) >= patience(heir) - WAIT - 0.05
    trio.directors[owner].start()
    trio.settle(heir.node.name)


def test_a_cut_cable_hurries_nobody(trio: Tied) -> None:
    owner, heir = trio.owner(), trio.heir()
    trio.settle(owner)
    trio.directors[owner].node.cut(silent=True)
    since = slay(trio.directors[owner])
    assert trio.takes(heir, since) > WAIT - INTERVAL
    trio.directors[owner].node.heal()
    trio.directors[owner].start()
    trio.settle(heir.node.name)


def test_under_a_seal_a_hung_machine_is_succeeded_before_its_silence_tells(tmp_path: Path) -> None:
    """The guard can say no priority 0 then, but it can end the tethers."""
    with stage(tmp_path, "ab", bytes(range(32))) as pair:
        pair.start()
        since = time.monotonic()
        pair.directors["a"].signal(signal.SIGSTOP, "machine")
        assert pair.takes(pair.directors["b"], since) < WAIT
        assert pair.seen.shared(since) == 0
        until(pair.is_tied, PATIENCE, "both are tied again")
        pair.rest_for(CALM / INTERVAL)
        since = slay(pair.directors["b"])
        assert pair.takes(pair.directors["a"], since) < WAIT - INTERVAL
        pair.directors["b"].start()
        pair.owned_by("a")


class Tap:
    """Who is on the path between two directors: hears their tether, and can end it for one end."""

    def __init__(self, stage: Tied, speaker: str = "a", target: str = "b") -> None:
        """Listen from now on to what one says to the other."""
        self._target, self._client = stage.directors[target].node, stage.client
        self._ends = OWN[speaker].packed + OWN[target].packed
        self._mac = bytes.fromhex(stage.directors[target].mac().replace(":", ""))
        self._frames = self._target.call(packet_socket, 0x0800)
        self._last: dict[bytes, tuple[int, int]] = {}

    def read(self) -> None:
        """Take in what came by."""
        with suppress(BlockingIOError):
            while True:
                packet = self._frames.recv(1 << 16)[14:]
                size, length = (packet[0] & 15) * 4, int.from_bytes(packet[2:4])
                if packet[9] == socket.IPPROTO_TCP and packet[12:20] == self._ends:
                    self._note(packet[size:length])

    def _note(self, segment: bytes) -> None:
        number, confirmed = struct.unpack_from("!II", segment, 4)
        flags = segment[13]
        carried = len(segment) - (segment[12] >> 4) * 4 + bool(flags & SYN) + bool(flags & FIN)
        following = (number + carried) % (1 << 32)
        if flags & SYN or (carried and segment[:4] in self._last):  # an idle end repeats itself
            self._last[segment[:4]] = following, confirmed
        if flags & (RST | FIN):
            self._last.pop(segment[:4], None)

    def forge(self, flags: int = FIN | ACK) -> None:
        """Say to the target, as the speaker, that the connection is at its end."""
        self.read()
        *_, (ports, (number, confirmed)) = self._last.items()
        bare = ports + struct.pack("!IIBBHHH", number, confirmed, 5 << 4, flags, 8192, 0, 0)
        pseudo = self._ends + struct.pack("!HH", socket.IPPROTO_TCP, len(bare))
        segment = bare[:16] + struct.pack("!H", checksum(pseudo + bare)) + bare[18:]
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 0, 0, 64, 6, 0) + self._ends
        head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
        with self._client.call(packet_socket, 0) as sending:
            own = sending.getsockname()[4]
            sending.send(self._mac + own + b"\x08\x00" + head + segment)

    def close(self) -> None:
        """Listen no more."""
        self._frames.close()


def packet_socket(protocol: int) -> socket.socket:
    """Return a socket of whole frames on eth0."""
    kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK
    made = socket.socket(socket.AF_PACKET, kind, socket.htons(protocol))
    made.bind(("eth0", protocol))
    return made


@pytest.mark.parametrize("key", [None, bytes(range(32))], ids=["plain", "sealed"])
def test_a_forged_end_of_a_living_node_moves_nothing(tmp_path: Path, key: bytes | None) -> None:
    with stage(tmp_path, "ab", key) as pair, closing(Tap(pair)) as tap:
        pair.start()
        for _ in range(2):
            since, before = time.monotonic(), connections(pair.directors["b"].node)
            tap.forge()
            until(partial(differ, pair.directors["b"].node, before), PATIENCE, "it is believed")
            pair.rest_for(4)
            pair.settle("a")
            assert pair.seen.moves(since) == []
            pair.rest_for(CALM / INTERVAL)


def test_connections_that_are_reset_under_a_living_master_are_made_again_and_move_nothing(
    tmp_path: Path,
) -> None:
    """At both ends, in the name of the other one."""
    with (
        stage(tmp_path, "ab") as pair,
        closing(Tap(pair, "a", "b")) as to_b,
        closing(Tap(pair, "b", "a")) as to_a,
    ):
        pair.start()
        since = time.monotonic()
        before = [connections(one.node) for one in pair.directors.values()]
        assert all(before)

        def are_reset() -> bool:
            now = [connections(one.node) for one in pair.directors.values()]
            return not any(old & new for old, new in zip(before, now, strict=True))

        to_b.forge(RST | ACK)
        to_a.forge(RST | ACK)
        until(are_reset, PATIENCE, "both believe it")
        pair.rest_for(4)
        pair.settle("a")
        assert pair.seen.moves(since) == []


def test_all_addresses_of_a_group_move_at_once(tmp_path: Path) -> None:
    with stage(tmp_path, "ab") as pair:
        inside = IPv4Address("192.0.2.11")
        for director in pair.directors.values():
            director.order = replace(director.order, group="both")
            other = replace(director.order, name="inside", vrid=52, places=(Place("eth0", inside),))
            director.others = (other,)
            director.write()
        pair.start()
        until(lambda: pair.directors["a"].owns(inside), PATIENCE, "a has both")
        since = slay(pair.directors["a"])
        until(
            lambda: pair.directors["b"].owns(inside) and pair.seen.taken("b", since),
            WAIT - INTERVAL,
            "b has both",
        )
        pair.directors["a"].start()
        pair.settle("b")
