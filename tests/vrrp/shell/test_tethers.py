"""Tethers on real sockets: each node has an address of the loopback interface to itself."""

import errno
import selectors
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

import pytest

from libra_vrrp.guarding import Superseded, Tethered, Untethered
from libra_vrrp.seal.names import context, router_tag, sender
from libra_vrrp.seal.stream import StreamLock
from libra_vrrp.shell import tcp
from libra_vrrp.shell.held_tethers import PORT, HeldTethers
from libra_vrrp.shell.tether_port import REST
from libra_vrrp.shell.tethers import NEWS, Bond, Plan, Tethers
from libra_vrrp.tether import message
from libra_vrrp.tether.channel import Protection
from libra_vrrp.tether.ends import Ends
from libra_vrrp.tether.message import Heard, Hello, Plain, Standing, dumps, encode
from libra_vrrp.tether.peer import CALM, GREETING
from libra_vrrp.tether.rank import Standings

PATIENCE = 60.0
ADDRESSES = {name: IPv4Address(f"127.9.0.{n}") for n, name in enumerate("abc", 1)}
STRANGER = "127.9.0.99"
FRONT = context("front", 51, 4)
TAG = router_tag(FRONT)
KEY, OTHER = bytes(32), bytes(range(32))
PLAIN = Protection()
SEALED = Protection(StreamLock(FRONT, (KEY,)), is_required=True)


def standing(name: str, priority: int = 100) -> Standing:
    return Standing(priority, ADDRESSES[name])


@dataclass
class Guard:
    """The hold of a guard, without the line to it."""

    held: HeldTethers = field(default_factory=HeldTethers)
    is_deaf: bool = False

    def entrust(self, key: str, connection: socket.socket) -> bool:
        if self.is_deaf:
            return False
        self.held.receive([connection.dup().detach()])
        self.held.take(Tethered(key))
        return True

    def let_go(self, key: str) -> None:
        self.held.take(Untethered(key))

    def supersede(self, name: str) -> None:
        self.held.take(Superseded(name))

    @property
    def count(self) -> int:
        return self._counted(of_ports=False)

    @property
    def ports(self) -> int:
        return self._counted(of_ports=True)

    def _counted(self, *, of_ports: bool) -> int:
        keys = [*self.held._own, *self.held._former]
        return sum(key.startswith(PORT) == of_ports for key in keys)


class Node:
    """A node: its tethers, its guard, and the nodes whose death it was told of."""

    def __init__(self, name: str, guard: Guard | None = None) -> None:
        self.name, self.guard, self.counted = name, guard or Guard(), Counter[str]()
        self.died: list[tuple[Standings, list[Standings]]] = []
        self.tethers = Tethers(name, self.guard, self._count)

    def _count(self, what: str) -> None:
        self.counted[what] += 1

    def follow(self, port: int, others: str, protection: Protection = PLAIN) -> None:
        peers = tuple((one, ADDRESSES[one]) for one in others)
        bonds = {TAG: Bond(frozenset(others), protection)}
        self.tethers.follow(Plan(Ends(ADDRESSES[self.name], port, peers), bonds), time.monotonic())

    def turn(self) -> None:
        self.tethers.stand({TAG: standing(self.name)})
        self.died += self.tethers.turn(time.monotonic())

    def knows(self, *names: str) -> bool:
        return all(self.tethers._peers[one].standings.get(TAG) == standing(one) for one in names)

    def is_linked(self, *names: str) -> bool:
        return all(
            any(line.is_introduced for line in self.tethers._peers[one]._lines.values())
            for one in names
        )

    def crash(self) -> Guard:
        """End without a word, as SIGKILL does; the guard goes on holding what it holds."""
        for one in self.tethers._peers.values():
            for line in one._lines.values():
                line.socket.close()
            if one._dialling is not None:
                one._dialling.close()
        if self.tethers._port is not None and self.tethers._port._socket is not None:
            self.tethers._port._socket.close()
        self.tethers._selector.close()
        self.guard.held.outlive()
        return self.guard


@dataclass
class Site:
    """Nodes that turn together, under one port, and what must be closed in the end."""

    port: int
    left: ExitStack
    nodes: dict[str, Node] = field(default_factory=dict)

    def add(self, name: str, others: str, protection: Protection = PLAIN) -> Node:
        one = self.nodes[name] = Node(name)
        one.follow(self.port, others, protection)
        return one

    def again(self, name: str, guard: Guard, others: str) -> Node:
        """Start the machine of a node once more, under the guard that it had."""
        one = self.nodes[name] = Node(name, guard)
        one.follow(self.port, others)
        return one

    def lose(self, name: str) -> Node:
        return self.nodes.pop(name)

    def soon(self, holds: Callable[[], object], what: str) -> None:
        until = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < until, f"not within {PATIENCE} s: {what}"
            for one in list(self.nodes.values()):
                one.turn()
            time.sleep(0.001)

    def run(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        self.soon(lambda: time.monotonic() >= until, "time passes")


@pytest.fixture
def site() -> Iterator[Site]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with ExitStack() as left:
        made = Site(port, left)
        yield made
        for one in made.nodes.values():
            one.tethers.stop()
            one.guard.held.cut()
            one.tethers._selector.close()


@pytest.fixture(params=[PLAIN, SEALED], ids=["plain", "sealed"])
def pair(request: pytest.FixtureRequest, site: Site) -> Site:
    """Return two nodes that know each other by one connection."""
    site.add("a", "b", request.param)
    site.add("b", "a", request.param)
    tied(site)
    return site


def tied(site: Site) -> None:
    def both() -> bool:
        return site.nodes["a"].knows("b") and site.nodes["b"].knows("a")

    site.soon(both, "both are tied")
    site.run(0.05)


def test_two_nodes_are_tied_by_one_connection_that_both_guards_hold(pair: Site) -> None:
    for one in pair.nodes.values():
        (to,) = one.tethers._peers.values()
        assert len(to._lines) == 1
        assert one.guard.count == 1
        assert one.counted["tether_tied"] == 1


def test_what_changes_is_said(pair: Site) -> None:
    a, b = pair.nodes["a"], pair.nodes["b"]
    a.tethers.stand({TAG: standing("a", 7)})
    changed = {TAG: standing("a", 7)}
    until = time.monotonic() + PATIENCE
    while b.tethers._peers["a"].standings != changed:
        assert time.monotonic() < until
        b.turn()


def test_news_are_looked_for_now_and_then_and_none_is_missed(pair: Site) -> None:
    tethers, now = pair.nodes["a"].tethers, time.monotonic() + 3600
    looks = [tethers.is_to_stand(now + n * 0.4 * NEWS) for n in range(8)]
    assert looks == [True, False, False, True, False, False, True, False]
    assert tethers.wake_at() <= now + 4 * NEWS


def test_machine_and_guard_that_die_together_are_a_death(pair: Site) -> None:
    a, b = pair.lose("a"), pair.nodes["b"]
    a.crash().held.cut()
    pair.soon(lambda: b.died, "b knows of it")
    assert b.died == [({TAG: standing("a")}, [])]


@pytest.mark.parametrize(("died", "other"), [("a", "b"), ("b", "a")])
def test_a_machine_that_dies_alone_is_none_and_the_next_one_takes_its_place(
    site: Site, died: str, other: str
) -> None:
    site.add(died, other)
    survivor = site.add(other, died)
    tied(site)
    guard = site.lose(died).crash()
    assert (guard.count, guard.ports) == (1, 1)
    site.run(0.1)
    heir = site.again(died, guard, other)
    site.soon(lambda: heir.knows(other), "the next machine is tied")
    site.soon(lambda: guard.count == 1, "the guard holds one connection")
    assert guard.ports == 1
    site.run(0.1)
    assert survivor.died == []
    assert survivor.knows(died)
    site.lose(died).crash().held.cut()
    site.soon(lambda: survivor.died, "the end of the new one counts")


def test_a_machine_that_has_no_tethers_any_more_leaves_nobody_listening_for_it(site: Site) -> None:
    """Found by review: peers connected to the guard's copy of the port, where nobody accepts."""
    site.add("a", "b")
    survivor = site.add("b", "a")
    tied(site)
    guard = site.lose("a").crash()
    heir = site.nodes["a"] = Node("a", guard)
    heir.tethers.follow(None, time.monotonic())
    assert guard.ports == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((str(ADDRESSES["a"]), site.port), timeout=PATIENCE)
    site.run(0.1)
    assert survivor.died == []
    heir.follow(site.port, "b")
    site.soon(lambda: guard.ports == 1, "it listens again")
    site.soon(lambda: heir.knows("b"), "it is tied again")
    assert survivor.died == []


@pytest.mark.parametrize("is_restarting", [False, True], ids=["alive", "its guard alive"])
def test_whoever_connects_from_a_living_nodes_address_makes_no_death_of_it(
    site: Site, *, is_restarting: bool
) -> None:
    """So can every unprivileged process there, and every container behind its address."""
    a, b = site.add("a", "b"), site.add("b", "a")
    tied(site)
    if is_restarting:
        site.lose("b").crash()
    forged = faked(site)
    site.soon(lambda: a.counted["tether_tied"] == 2, "a believes it")
    seen = a.counted["tether_fin"] + a.counted["tether_rst"]
    forged.socket.close()
    site.soon(lambda: a.counted["tether_fin"] + a.counted["tether_rst"] > seen, "a sees its end")
    site.run(0.1)
    assert a.died == []
    b.guard.held.cut()


def test_a_guard_that_cuts_its_tethers_lets_nobody_listen_before(pair: Site) -> None:
    """Else the others would find somebody there, and think that the node lives."""
    a, b = pair.lose("a"), pair.nodes["b"]
    a.crash()
    pair.run(0.05)
    a.guard.held.cut()
    pair.soon(lambda: b.died, "b knows of it")


def test_who_floods_from_a_peers_address_is_let_in_seldom_and_told_of_once(
    alone: Site, capfd: pytest.CaptureFixture[str]
) -> None:
    a, began = alone.nodes["a"], time.monotonic()
    for _ in range(5):
        one = alone.left.enter_context(socket.socket())
        one.setblocking(False)
        one.bind((str(ADDRESSES["b"]), 0))
        one.connect_ex((str(ADDRESSES["a"]), alone.port))
        alone.run(0.01)
        one.sendall(bytes(100))
    alone.soon(lambda: a.counted["tether_malformed"] == 5, "all have been heard")
    assert a.counted["tether_accepted"] == 5
    assert time.monotonic() - began >= 4 * REST
    assert capfd.readouterr().err.count("makes no sense") <= 1


def test_without_a_descriptor_the_port_rests(alone: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    a, port = alone.nodes["a"], alone.nodes["a"].tethers._port
    assert port is not None
    with monkeypatch.context() as patch:
        patch.setattr(port, "_socket", Full())
        assert port.admit(ADDRESSES.values(), 1.0) is None
    assert (port.is_resting, port.wake_at) == (True, 1.0 + REST)
    assert a.counted["tether_unaccepted"] == 1
    fake = faked(alone)
    alone.soon(lambda: a.knows("b"), "peers are let in again")
    fake.reset()


class Full:
    """A listening socket of a process that has no descriptor left."""

    def accept(self) -> None:
        raise OSError(errno.EMFILE, "Too many open files")


def test_an_orderly_stop_and_a_new_plan_are_no_death(pair: Site) -> None:
    a, b = pair.nodes["a"], pair.nodes["b"]
    a.follow(pair.port, "b", Protection(StreamLock(FRONT, (KEY, OTHER)), is_required=False))
    pair.soon(lambda: b.counted["tether_fin"] == 1, "the connection was closed")
    a.follow(pair.port, "b", b.tethers._plan.bonds[TAG].protection if b.tethers._plan else PLAIN)
    tied(pair)
    fins = b.counted["tether_fin"]
    pair.lose("a").tethers.stop()
    pair.soon(lambda: b.counted["tether_fin"] > fins, "the connection was closed again")
    assert b.died == []
    assert a.guard.count == 0
    a.tethers._selector.close()


def test_a_node_that_is_not_there_is_tried_again_until_it_is(site: Site) -> None:
    a = site.add("a", "b")
    site.run(0.3)
    assert a.died == []
    site.add("b", "a")
    tied(site)


def test_three_nodes_know_who_lives_when_one_dies(site: Site) -> None:
    for name in "abc":
        site.add(name, "abc".replace(name, ""))
    site.soon(lambda: site.nodes["a"].knows("b", "c"), "a is tied to both")
    site.soon(lambda: site.nodes["b"].knows("a", "c"), "b is tied to both")
    site.soon(lambda: site.nodes["c"].knows("a", "b"), "c is tied to both")
    site.lose("a").crash().held.cut()
    site.soon(lambda: site.nodes["b"].died and site.nodes["c"].died, "both know of it")
    assert site.nodes["b"].died == [({TAG: standing("a")}, [{TAG: standing("c")}])]
    assert site.nodes["c"].died == [({TAG: standing("a")}, [{TAG: standing("b")}])]


def test_a_key_of_ones_own_ties_nobody(site: Site) -> None:
    a = site.add("a", "b", SEALED)
    b = site.add("b", "a", Protection(StreamLock(FRONT, (OTHER,)), is_required=True))
    site.soon(lambda: a.counted["tether_refused"] and b.counted["tether_refused"], "both refuse")
    site.lose("a").crash().held.cut()
    site.soon(lambda: b.counted["tether_fin"], "the connection has ended")
    assert b.died == []


def test_a_guard_that_does_not_take_it_holds_no_tether(site: Site) -> None:
    a = site.add("a", "b")
    a.guard.is_deaf = True
    b = site.add("b", "a")
    site.soon(lambda: a.counted["tether_lost"], "a let it go")
    assert b.tethers._peers["a"].standings == {}


class Fake:
    """A node of our own making, at b's address: it says what it likes."""

    def __init__(self, site: Site) -> None:
        self.socket = socket.create_connection(
            (str(ADDRESSES["a"]), site.port),
            timeout=PATIENCE,
            source_address=(str(ADDRESSES["b"]), 0),
        )
        site.left.enter_context(self.socket)

    def greet(self, name: str = "b") -> None:
        self.socket.sendall(encode(Hello(sender(name), b"f" * 16)))

    def stand(self) -> None:
        self.socket.sendall(encode(Plain(TAG, dumps(standing("b")))))

    def reset(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def is_turned_away(self) -> bool:
        self.socket.setblocking(False)
        try:
            while self.socket.recv(4096):
                pass
        except BlockingIOError:
            return False
        except OSError as wrong:
            return wrong.errno == errno.ECONNRESET
        return True


@pytest.fixture
def alone(site: Site) -> Site:
    """Return node a, to which b is no process of LibrA."""
    site.add("a", "b")
    site.run(0.05)
    return site


def faked(site: Site, *, name: str = "b") -> Fake:
    fake = Fake(site)
    fake.greet(name)
    fake.stand()
    return fake


def test_a_reset_by_a_node_where_nobody_listens_any_more_is_a_death(alone: Site) -> None:
    a, fake = alone.nodes["a"], faked(alone)
    alone.soon(lambda: a.knows("b"), "a believes it")
    fake.reset()
    alone.soon(lambda: a.counted["tether_rst"], "a sees the reset")
    alone.soon(lambda: a.died, "a knows of it")


def test_a_reset_by_a_node_that_still_listens_is_no_death(alone: Site) -> None:
    a, fake = alone.nodes["a"], faked(alone)
    with socket.create_server((str(ADDRESSES["b"]), alone.port)) as living:
        alone.soon(lambda: a.knows("b"), "a believes it")
        fake.reset()
        alone.soon(lambda: a.counted["tether_rst"], "a sees the reset")
        alone.run(0.1)
        connection, _ = living.accept()
        connection.close()
        alone.run(0.1)
    assert a.died == []


def test_an_end_after_a_bye_is_no_death(alone: Site) -> None:
    a, fake = alone.nodes["a"], faked(alone)
    alone.soon(lambda: a.knows("b"), "a believes it")
    fake.socket.sendall(encode(Plain(TAG, dumps(message.Bye(1)))))
    fake.reset()
    alone.soon(lambda: a.counted["tether_rst"] + a.counted["tether_fin"], "it has ended")
    alone.run(0.1)
    assert a.died == []


def test_a_second_connection_replaces_the_first_whose_end_does_not_count(alone: Site) -> None:
    a, first = alone.nodes["a"], faked(alone)
    alone.soon(lambda: a.knows("b"), "a believes it")
    second = faked(alone)
    alone.soon(first.is_turned_away, "the first is closed")
    first.reset()
    alone.run(0.1)
    assert a.died == []
    second.socket.close()
    alone.soon(lambda: a.died, "the end of the second counts")


def test_an_end_in_the_midst_of_what_is_said_counts_after_it(alone: Site) -> None:
    a, first = alone.nodes["a"], faked(alone)
    alone.soon(lambda: a.knows("b"), "a believes it")
    second = Fake(alone)
    second.greet()
    alone.soon(lambda: len(a.tethers._peers["b"]._lines) == 2, "the second is there")
    alone.soon(lambda: a.guard.count == 2, "and has greeted")
    second.stand()
    first.socket.close()
    alone.run(0.1)
    assert a.died == []
    second.reset()


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="http"),
        pytest.param(bytes(100), id="zeros"),
        pytest.param(encode(Heard()), id="no greeting"),
    ],
)
def test_a_peer_that_makes_no_sense_is_turned_away(alone: Site, octets: bytes) -> None:
    fake = Fake(alone)
    fake.socket.sendall(octets)
    alone.soon(fake.is_turned_away, "it is turned away")
    assert alone.nodes["a"].counted["tether_malformed"] == 1


def test_another_node_at_a_peers_address_is_turned_away(alone: Site) -> None:
    fake = faked(alone, name="c")
    alone.soon(fake.is_turned_away, "it is turned away")
    assert alone.nodes["a"].tethers._peers["b"].standings == {}


def test_a_peer_that_says_nothing_is_turned_away_in_time(alone: Site) -> None:
    fake, began = Fake(alone), time.monotonic()
    alone.soon(fake.is_turned_away, "it is turned away")
    assert time.monotonic() - began >= GREETING - 0.1


def test_a_peer_that_floods_is_turned_away(alone: Site) -> None:
    fake = faked(alone)
    more = encode(Plain(TAG, dumps(standing("b")))) * 1000
    fake.socket.setblocking(False)

    def pours() -> bool:
        try:
            fake.socket.send(more)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return False

    alone.soon(pours, "it is turned away")
    assert alone.nodes["a"].counted["tether_malformed"] == 1
    assert alone.nodes["a"].died == []


def test_strangers_get_nothing_and_peers_get_in_all_the_same(alone: Site) -> None:
    a = alone.nodes["a"]
    source = (STRANGER, 0)
    with ExitStack() as stack:
        for _ in range(50):
            stranger = stack.enter_context(socket.socket())
            stranger.bind(source)
            stranger.setblocking(False)
            stranger.connect_ex((str(ADDRESSES["a"]), alone.port))
        alone.soon(lambda: a.counted["tether_stranger"] >= 3, "strangers are turned away")
        dialling = socket.socket()
        stack.enter_context(dialling)
        dialling.setblocking(False)
        dialling.bind((str(ADDRESSES["b"]), 0))
        dialling.connect_ex((str(ADDRESSES["a"]), alone.port))
        alone.soon(lambda: a.tethers._peers["b"]._lines, "b is let in")
    assert a.guard.count == 0


def test_a_port_that_is_taken_is_tried_again(site: Site) -> None:
    with socket.create_server((str(ADDRESSES["a"]), site.port)):
        a = site.add("a", "b")
        site.run(0.05)
        assert a.tethers._waited is None
    site.add("b", "a")
    tied(site)


def test_a_node_listens_at_its_own_address_alone(alone: Site) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((STRANGER, alone.port), timeout=PATIENCE).close()


def test_nothing_is_listened_to_without_a_plan(alone: Site) -> None:
    alone.nodes["a"].tethers.follow(None, time.monotonic())
    with pytest.raises(ConnectionRefusedError):
        Fake(alone)
    assert alone.nodes["a"].tethers.is_idle


def test_an_end_right_after_a_death_is_none(alone: Site) -> None:
    a = alone.nodes["a"]
    for _ in range(2):
        fake = faked(alone)
        alone.soon(lambda: a.knows("b"), "a believes it")
        fake.socket.close()
        alone.soon(lambda: not a.knows("b"), "the end is seen")
    assert len(a.died) == 1
    assert CALM > 1


def test_a_tether_goes_over_ipv6_too() -> None:
    own = IPv6Address("::1")
    try:
        listening = tcp.listen(own, 0)
    except OSError:
        pytest.skip("no IPv6 here")
    port = listening.getsockname()[1]
    dialling = tcp.dial(own, own, port)
    with listening, dialling, selectors.DefaultSelector() as selector:
        selector.register(listening, selectors.EVENT_READ)
        assert selector.select(PATIENCE)
        connection, (host, *_) = listening.accept()
        tcp.tune(connection)
        tcp.drop(connection)
    assert host == "::1"
