"""Directors on networks of their own, side by side: what is done 20 times takes less so.

One owner is what is looked for: who had the address when, and whom the client's cache knows.
"""

import json
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias, TypeVar

import pytest
from tests.kernel.conftest import VIP, Director, neighbour, until
from tests.kernel.test_vrrp_routes import ours
from tests.kernel.witness import Said, Witness, figures, witness

from libra_lab.node import Node
from libra_lab.topology import Topology
from libra_vrrp.lease import Terms
from libra_vrrp.orders import Instance, Place
from libra_vrrp.router import Never

TIMES = 20
"""How often each thing is done, on networks side by side: mostly one waits."""
INTERVAL = 0.25
LEASE = 2.0
PRIORITIES = {"a": 150, "b": 120, "c": 90, "d": 60, "e": 30, "f": 1}
PATIENCE = 60.0
BUSY = 0.25
"""Seconds that a machine which others keep busy may take more than it would."""

T = TypeVar("T")
S = TypeVar("S", bound="Stage")
Note: TypeAlias = Callable[[str, list[float]], None]


@dataclass
class Stage:
    """Directors on a network of their own, a client, and who watches them.

    `out` are those who cannot take over: they are in fault, or frozen.
    """

    directors: dict[str, Director]
    client: Node
    seen: Witness
    out: set[str] = field(default_factory=set)

    def start(self) -> None:
        """Start all, and wait until a is master and everybody else is ready.

        The client asks for the address once. Whom it knows afterwards it was told without asking.
        """
        for director in self.directors.values():
            director.start()
            until(lambda: self.seen.owners() == {"a"}, PATIENCE, "a alone has the address")
        self.ask()
        self.settle("a")

    def ask(self) -> None:
        """Have the client ask who has the address, as it has to when it has forgotten."""
        self.client.run("ping", "-c1", "-W1", str(VIP), check=False)

    def owner(self) -> str:
        """Return who alone has the address."""
        (owner,) = self.seen.owners()
        return owner

    def owned_by(self, name: str) -> None:
        """Wait until this one alone has the address, and the client was told so."""
        mac = self.directors[name].mac()
        until(lambda: self.seen.owners() == {name}, PATIENCE, f"{name} alone has the address")
        until(lambda: neighbour(self.client) == mac, PATIENCE, f"the client was told of {name}")

    def settle(self, name: str) -> None:
        """Wait until this one alone has the address and the client knows it, and all listen."""
        self.owned_by(name)
        until(lambda: all(d.listens() for d in self.directors.values()), PATIENCE, "all listen")
        until(lambda: all(d.is_up() for d in self.directors.values()), PATIENCE, "all are up")

    def is_at_rest(self) -> bool:
        """Say whether one alone has the address and the client knows it, and all listen."""
        owners = [self.directors[name] for name in self.seen.owners()]
        return (
            len(owners) == 1
            and neighbour(self.client) == owners[0].mac()
            and all(d.listens() and d.is_up() for d in self.directors.values())
        )

    def master(self) -> Director:
        """Return the owner."""
        return self.directors[self.owner()]

    def heir(self) -> Director:
        """Return who is to take over from the owner: of those who can, the highest priority."""
        ready = [name for name in self.directors if name not in self.out | {self.owner()}]
        return self.directors[max(ready, key=PRIORITIES.__getitem__)]

    def successor(self, of: Director) -> Director:
        """Wait until somebody else alone has the address, and return who."""
        name = of.node.name
        until(lambda: self.seen.owners() - {name}, PATIENCE, f"somebody follows {name}")
        until(lambda: len(self.seen.owners()) == 1, PATIENCE, "one alone has the address")
        return self.master()

    def said(self, director: Director, since: float) -> list[Said]:
        """Return what a director has said since a moment."""
        (own,) = director.node.addresses["eth0"]
        return self.seen.heard(own.partition("/")[0], since)

    def taken_over(self, heir: Director, since: float, shared: float = 0.0) -> float:
        """Wait until the heir, and nobody else, has taken over; return after how many seconds.

        Nobody held the address together with another, or for `shared` seconds at the most.
        """
        name, before = heir.node.name, sorted(self.seen.owners(since))
        self.settle(name)
        assert self.seen.shared(since) <= shared
        moves = [(move.name, move.is_held) for move in self.seen.moves(since)]
        expected = [*((loser, False) for loser in before), (name, True)]
        assert (sorted(moves) == sorted(expected)) if shared else (moves == expected)
        return self.took(heir, since)

    def story(self, since: float) -> str:
        """Tell what came of it, for a failure: what each director logged, and who said what."""
        logged = {name: one.log for name, one in self.directors.items() if one.log}
        logs = [f"{name}:\n{log.read_text()[-2000:]}" for name, log in logged.items()]
        said = [str(one) for one in self.seen.adverts if one.at > since - 4 * INTERVAL]
        moves = [str(move) for move in self.seen.moves(since)]
        return "\n".join([*logs, f"since {since}", *said, *moves])

    def in_time(self, heir: Director, done: float, more: float = BUSY) -> bool:
        """Say whether who follows spoke within a backup's patience, and `more` seconds, of a deed.

        Its address may take `BUSY` longer: all networks of this kernel wait for one lock.
        """
        bound = patience(heir) + more
        is_said = self.said(heir, done)[0].at - done <= bound
        return is_said and self.took(heir, done) <= bound + BUSY

    def took(self, heir: Director, done: float) -> float:
        """Return how many seconds after a deed was done a director took the address last."""
        name = heir.node.name
        return max(c.at for c in self.seen.changes if c.name == name and c.is_held) - done


def patience(heir: Director) -> float:
    """Return for how many seconds a backup hears no master before it is one (RFC 9568, 6.1)."""
    return 3 * heir.order.interval + skew(heir)


def skew(heir: Director) -> float:
    """Return for how many seconds a backup waits after priority 0 (RFC 9568, 6.1 and 6.4.2)."""
    return (256 - heir.order.priority) / 256 * heir.order.interval


def remains(director: Director) -> list[str]:
    """Return what a director has of LibrA's, as `ip` shows it: addresses, routes and rules."""
    virtual = {str(p.address) for one in (director.order, *director.others) for p in one.held}
    links = json.loads(director.node.run("ip", "-j", "addr", "show").stdout)
    addresses = [str(info.get("local")) for link in links for info in link.get("addr_info", ())]
    return [one for one in addresses if one in virtual] + ours(director)


@contextmanager
def stage(
    state: Path,
    names: str = "ab",
    interval: float = INTERVAL,
    terms: Terms | None = None,
    prepare: Callable[[Director], None] = Director.write,
) -> Iterator[Stage]:
    """Make a network, and leave nothing of it; a master of any priority is left alone."""
    with Topology() as topology, ExitStack() as stack:
        net = topology.network("net")
        client = topology.node("client", {"eth0": (net, "192.0.2.100/24")})
        directors = {}
        for number, name in enumerate(names, 1):
            node = topology.node(name, {"eth0": (net, f"192.0.2.{number}/24")})
            order = Instance(
                "front",
                "eth0",
                51,
                PRIORITIES[name],
                (Place("eth0", VIP),),
                interval=interval,
                preempt=Never(),
                terms=terms or Terms(),
            )
            directors[name] = Director(node, state / name, order)
            prepare(directors[name])
            directors[name].log = state / f"{name}.log"
        nodes = [director.node for director in directors.values()]
        seen = stack.enter_context(witness(VIP, nodes, client))
        yield Stage(directors, client, seen)
        for director in directors.values():
            director.node.signal(signal.SIGCONT)
            if director.parent is not None:
                director.parent.terminate()
        for director in directors.values():
            director.stop()
        assert [node.processes() for node in nodes] == [[] for _ in nodes]
        until(lambda: not seen.owners(), PATIENCE, "nobody holds the address")
        until(lambda: not any(map(remains, directors.values())), PATIENCE, "nothing is left")


@contextmanager
def stages(
    state: Path,
    count: int,
    names: str = "ab",
    interval: float = INTERVAL,
    terms: Terms | None = None,
    prepare: Callable[[Director], None] = Director.write,
) -> Iterator[list[Stage]]:
    """Make networks side by side, with everybody started."""
    with ExitStack() as stack, ThreadPoolExecutor(count) as pool:
        made = [
            stack.enter_context(stage(state / str(number), names, interval, terms, prepare))
            for number in range(count)
        ]
        list(pool.map(Stage.start, made))
        yield made


def rehearse(made: list[S], act: Callable[[S], T]) -> list[T]:
    """Do it TIMES times in all, on all networks at once; return what came of each."""

    def some(one: S) -> list[T]:
        seen = []
        for _ in range(TIMES // len(made)):
            until(one.is_at_rest, PATIENCE, "one alone has the address, and all listen")
            seen.append(act(one))
        return seen

    with ThreadPoolExecutor(len(made)) as pool:
        return [figure for seen in pool.map(some, made) for figure in seen]


def strike(director: Director) -> None:
    """Kill all of it at one moment: none is left to notice that another is gone."""
    director.node.signal(signal.SIGSTOP)
    director.node.kill()


def restarted(director: Director, before: int | None) -> None:
    """Wait until another machine runs."""
    until(lambda: director.pid("machine") not in {None, before}, PATIENCE, "another machine runs")


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Stage]]:
    """Keep four pairs, whatever is done to them: each is one owner and one ready to be."""
    with stages(tmp_path_factory.mktemp("pairs"), 4) as made:
        yield made


@pytest.fixture
def note(record_property: Callable[[str, object], None]) -> Note:
    """Return how a test leaves its figures in the report, and on standard output."""

    def leave(what: str, seconds: list[float]) -> None:
        record_property(what, figures(seconds))
        sys.stdout.write(f"{what}: {figures(seconds)}\n")

    return leave
