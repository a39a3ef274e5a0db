"""One owner, whatever dies or hangs: the machine, the reporter, the guard, or all of them."""

import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from ipaddress import IPv4Address
from math import ceil
from pathlib import Path
from typing import TypeAlias

import pytest
from tests.kernel.conftest import VIP, Director, neighbour, until
from tests.kernel.witness import Said, Witness, figures, witness

from libra_lab.node import Node
from libra_lab.topology import Topology
from libra_vrrp.lease import Terms
from libra_vrrp.orders import Instance, Place
from libra_vrrp.router import Never

pytestmark = pytest.mark.network

TIMES = 20
"""How often each thing is done, on networks side by side: mostly one waits."""
INTERVAL = 0.25
LEASE = 2.0
PRIORITIES = {"a": 150, "b": 100, "c": 50}
PATIENCE = 60.0
SLOW = 1.5
"""Seconds of `start_takes` beyond which a short interval is no measure of us."""

Note: TypeAlias = Callable[[str, list[float]], None]


@dataclass
class Stage:
    """Directors on a network of their own, a client, and who watches them."""

    directors: dict[str, Director]
    client: Node
    seen: Witness

    def start(self) -> None:
        """Start all, and wait until a is master and everybody else is ready."""
        for director in self.directors.values():
            director.start()
            until(lambda: self.seen.owners() == {"a"}, PATIENCE, "a alone has the address")
        self.settle("a")

    def owner(self) -> str:
        """Return who alone has the address."""
        (owner,) = self.seen.owners()
        return owner

    def settle(self, name: str) -> None:
        """Wait until this one alone has the address and the client knows it, and all listen."""
        mac = self.directors[name].mac()
        until(lambda: self.seen.owners() == {name}, PATIENCE, f"{name} alone has the address")
        self.client.run("ping", "-c1", "-W1", str(VIP), check=False)
        until(lambda: neighbour(self.client) == mac, PATIENCE, f"the client knows {name}")
        until(lambda: all(d.listens() for d in self.directors.values()), PATIENCE, "all listen")

    def master(self) -> Director:
        """Return the owner."""
        return self.directors[self.owner()]

    def heir(self) -> Director:
        """Return who is to take over from the owner."""
        return next(one for name, one in self.directors.items() if name != self.owner())

    def said(self, director: Director, since: float) -> list[Said]:
        """Return what a director has said since a moment."""
        (own,) = director.node.addresses["eth0"]
        return self.seen.heard(own.partition("/")[0], since)

    def taken_over(self, since: float) -> float:
        """Wait until the heir, and nobody else, has taken over; return after how many seconds.

        Nobody held the address together with another.
        """
        heir = next(name for name in self.directors if name not in self.seen.owners(since))
        until(lambda: self.seen.taken(heir, since), PATIENCE, f"{heir} has the address")
        self.settle(heir)
        assert self.seen.shared(since) == 0
        moves = [(move.name, move.is_held) for move in self.seen.moves(since)]
        assert moves == [*((n, False) for n in sorted(self.seen.owners(since))), (heir, True)]
        taken = self.seen.taken(heir, since)
        assert taken is not None
        return taken - since


@contextmanager
def stage(
    state: Path, names: str = "ab", interval: float = INTERVAL, terms: Terms | None = None
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
            directors[name].write()
        nodes = [director.node for director in directors.values()]
        seen = stack.enter_context(witness(VIP, nodes, client))
        yield Stage(directors, client, seen)
        for director in directors.values():
            director.node.signal(signal.SIGCONT)
            director.stop()
        until(lambda: not seen.owners(), PATIENCE, "nobody holds the address")
        assert [node.processes() for node in nodes] == [[] for _ in nodes]


@contextmanager
def stages(
    state: Path,
    count: int,
    names: str = "ab",
    interval: float = INTERVAL,
    terms: Terms | None = None,
) -> Iterator[list[Stage]]:
    """Make networks side by side, with everybody started."""
    with ExitStack() as stack, ThreadPoolExecutor(count) as pool:
        made = [
            stack.enter_context(stage(state / str(number), names, interval, terms))
            for number in range(count)
        ]
        list(pool.map(Stage.start, made))
        yield made


def rehearse(made: list[Stage], act: Callable[[Stage], float]) -> list[float]:
    """Do it TIMES times in all, on all networks at once; return a figure of each."""

    def some(one: Stage) -> list[float]:
        seen = []
        for _ in range(TIMES // len(made)):
            one.settle(one.owner())
            seen.append(act(one))
        return seen

    with ThreadPoolExecutor(len(made)) as pool:
        return [figure for seen in pool.map(some, made) for figure in seen]


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Stage]]:
    """Keep four pairs, whatever is done to them: each is one owner and one ready to be."""
    with stages(tmp_path_factory.mktemp("pairs"), 4) as made:
        yield made


def restarted(director: Director, before: int | None) -> None:
    """Wait until another machine runs."""
    until(lambda: director.pid("machine") not in {None, before}, PATIENCE, "another machine runs")


@dataclass
class Frozen:
    """A stage on which director a, its guard and its machine, has been stopped."""

    stage: Stage
    since: float


@pytest.fixture(scope="module", autouse=True)
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Frozen]:
    """Freeze a director while the other tests run: a minute of it costs none of ours."""
    with stage(tmp_path_factory.mktemp("frozen")) as one:
        one.start()
        since = time.monotonic()
        one.directors["a"].node.signal(signal.SIGSTOP)
        yield Frozen(one, since)


@pytest.fixture
def note(record_property: Callable[[str, object], None]) -> Note:
    """Return how a test leaves its figures in the report, and on standard output."""

    def leave(what: str, seconds: list[float]) -> None:
        record_property(what, figures(seconds))
        sys.stdout.write(f"{what}: {figures(seconds)}\n")

    return leave


@pytest.fixture(scope="module")
def start_takes() -> float:
    """Return how long a machine takes to start here, at the most: its imports, three times."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", "import libra_vrrp.shell.machine"], check=True)
    return 3 * (time.monotonic() - began)


def test_a_killed_machine_is_replaced_without_a_gap(
    tmp_path: Path, note: Note, start_takes: float
) -> None:
    interval = max(1.0, start_takes)

    def act(one: Stage) -> float:
        director, before = one.directors["a"], one.directors["a"].pid("machine")
        director.signal(signal.SIGKILL, "machine")
        since = time.monotonic()
        until(lambda: one.seen.heard("192.0.2.1", since), PATIENCE, "the next machine speaks")
        restarted(director, before)
        one.settle("a")
        time.sleep(2 * interval)  # as long as the other would have waited at the most
        assert one.seen.moves(since) == []
        assert one.seen.heard("192.0.2.2", since) == []
        return one.seen.heard("192.0.2.1", since)[0].at - since

    terms = Terms(duration=max(2, ceil(3 * start_takes)))
    with stages(tmp_path, 5, interval=interval, terms=terms) as made:
        took = rehearse(made, act)
    note("killed machine: until the next one speaks, the address never gone", took)


def test_a_machine_killed_at_a_short_interval_is_handed_over_at_once(
    tmp_path: Path, note: Note, start_takes: float
) -> None:
    if start_takes > SLOW:
        pytest.skip("40 ms are too short for a machine this slow")

    def act(one: Stage) -> float:
        owner = one.master()
        before = owner.pid("machine")
        since = time.monotonic()
        owner.signal(signal.SIGKILL, "machine")
        took = one.taken_over(since)
        restarted(owner, before)
        return took

    with stages(tmp_path, 2, interval=0.04) as made:
        took = rehearse(made, act)
    note("killed machine at 40 ms: until the other has the address", took)
    assert statistics.median(took) <= 0.05


def test_a_hung_machine_is_handed_over_and_cannot_come_back(pairs: list[Stage], note: Note) -> None:
    def act(one: Stage) -> float:
        owner = one.master()
        hung = owner.pid("machine")
        assert hung is not None
        since = time.monotonic()
        os.kill(hung, signal.SIGSTOP)
        took = one.taken_over(since)
        said = [said.priority for said in one.said(owner, since)]
        assert said[-1] == 0
        assert said.count(0) == 1
        with pytest.raises(ProcessLookupError):
            os.kill(hung, signal.SIGCONT)
        restarted(owner, hung)
        return took

    took = rehearse(pairs, act)
    note("hung machine: until the other has the address", took)
    assert statistics.median(took) <= 3 * INTERVAL


def test_a_machine_that_hangs_for_a_moment_is_left_alone(pairs: list[Stage]) -> None:
    def act(one: Stage) -> float:
        master = one.master()
        hung = master.pid("machine")
        assert hung is not None
        since = time.monotonic()
        os.kill(hung, signal.SIGSTOP)
        until(lambda: time.monotonic() > since + INTERVAL / 2, PATIENCE, "a moment has passed")
        took = time.monotonic() - since
        with suppress(ProcessLookupError):
            os.kill(hung, signal.SIGCONT)
        if took < 1.4 * INTERVAL:  # or we ourselves were held up
            until(lambda: one.said(master, since), PATIENCE, "it speaks again")
            assert master.pid("machine") == hung
            assert one.seen.moves(since) == []
        return took

    rehearse(pairs, act)


def test_a_killed_reporter_changes_nothing(pairs: list[Stage]) -> None:
    def act(one: Stage) -> float:
        master = one.master()
        machine, reporter = (master.pid(word) for word in ("machine", "reporter"))
        since = time.monotonic()
        master.signal(signal.SIGKILL, "reporter")
        took = until(
            lambda: master.pid("reporter") not in {None, reporter},
            PATIENCE,
            "another reporter runs",
        )
        assert master.pid("machine") == machine
        assert one.seen.moves(since) == []
        return took

    rehearse(pairs, act)


def test_a_killed_guard_takes_the_machine_along_in_order(pairs: list[Stage], note: Note) -> None:
    def act(one: Stage) -> float:
        owner = one.master()
        assert owner.parent is not None
        since = time.monotonic()
        owner.parent.kill()
        owner.parent.wait()
        until(lambda: owner.node.processes() == [], PATIENCE, "nothing of it is left")
        owner.start()
        return one.taken_over(since)

    took = rehearse(pairs, act)
    note("killed guard: until the other has the address", took)
    assert statistics.median(took) <= INTERVAL + 0.05


def test_all_killed_at_once_are_bounded_by_the_lease(pairs: list[Stage], note: Note) -> None:
    def act(one: Stage) -> float:
        owner, heir = one.master(), one.heir().node.name
        since = time.monotonic()
        owner.node.kill()
        until(lambda: one.seen.taken(heir, since), PATIENCE, "the other has the address")
        until(lambda: one.seen.owners() == {heir}, PATIENCE, "the other alone has it")
        shared = one.seen.shared(since)
        owner.start()
        one.settle(heir)
        assert shared <= LEASE + 1
        return shared

    shared = rehearse(pairs, act)
    note("all killed: two owners", shared)


def test_a_link_that_goes_down_and_up_moves_the_address_once(
    pairs: list[Stage], note: Note
) -> None:
    def act(one: Stage) -> float:
        owner = one.master()
        since = time.monotonic()
        heir = one.heir().node.name
        owner.node.ip("link set eth0 down")
        until(lambda: one.seen.owners() == {heir}, PATIENCE, "the other alone has the address")
        owner.node.ip("link set eth0 up")
        return one.taken_over(since)

    took = rehearse(pairs, act)
    note("link down: until the other has the address", took)


def test_an_address_removed_or_added_by_another_process_ends_in_one_owner(
    pairs: list[Stage], note: Note
) -> None:
    def act(one: Stage) -> float:
        owner, heir = one.master(), one.heir()
        since = time.monotonic()
        owner.node.ip(f"addr del {VIP}/32 dev eth0")
        until(
            lambda: one.seen.taken(owner.node.name, since),
            PATIENCE,
            "the next renewal brings it back",
        )
        gap = one.seen.gap(since)
        heir.node.ip(f"addr add {VIP}/32 dev eth0")
        until(lambda: one.seen.owners() == {"a", "b"}, PATIENCE, "both hold it")
        until(lambda: len(one.said(owner, since)) > 4, PATIENCE, "time passes")
        heir.node.ip(f"addr del {VIP}/32 dev eth0")
        one.settle(owner.node.name)
        assert one.said(heir, since) == []
        return gap

    gaps = rehearse(pairs, act)
    note("removed by another: until it is back", gaps)
    assert statistics.median(gaps) <= LEASE / 4 + 0.1


def test_the_hosts_own_address_comes_and_goes_under_the_virtual_one(pairs: list[Stage]) -> None:
    def act(one: Stage) -> float:
        director, name = one.master(), one.owner()
        (own,) = director.node.addresses["eth0"]
        since = time.monotonic()
        director.node.ip(f"addr del {own} dev eth0", f"addr add {own} dev eth0")
        until(lambda: one.seen.adverts[-1].at > since + INTERVAL, PATIENCE, "somebody is master")
        one.settle(one.owner())
        director.node.kill()
        until(lambda: name not in one.seen.owners(), PATIENCE, "the lease has ended")
        assert director.owns(IPv4Address(own.split("/")[0]))
        director.start()
        one.settle(next(n for n in one.directors if n != name))
        return time.monotonic() - since

    rehearse(pairs, act)


def test_of_three_the_right_one_succeeds_and_nothing_flaps(tmp_path: Path, note: Note) -> None:
    def act(one: Stage) -> float:
        owner = one.master()
        hung = owner.pid("machine")
        since = time.monotonic()
        owner.signal(signal.SIGSTOP, "machine")
        took = one.taken_over(since)
        restarted(owner, hung)
        heard = len(one.seen.adverts)
        until(lambda: len(one.seen.adverts) > heard + 6, PATIENCE, "six more intervals pass")
        assert len(one.seen.moves(since)) == 2
        return took

    with stages(tmp_path, 4, "abc") as made:
        took = rehearse(made, act)
    note("of three, one hung: until the right one has the address", took)


def test_a_guard_that_is_told_to_end_cleans_up_for_a_machine_that_hangs(tmp_path: Path) -> None:
    with stage(tmp_path, interval=2.0, terms=Terms(duration=30)) as one:
        one.start()
        director = one.directors["a"]
        director.signal(signal.SIGSTOP, "machine")
        since = time.monotonic()
        director.stop()
        assert one.seen.lost("a", since)
        assert director.node.processes() == []
        assert [said.priority for said in one.seen.heard("192.0.2.1", since)] == [0]
        director.start()
        one.settle("b")


def test_an_address_that_became_the_hosts_own_is_left_alone(tmp_path: Path) -> None:
    with stage(tmp_path) as one:
        one.start()
        director = one.directors["a"]
        director.node.ip(f"addr replace {VIP}/32 dev eth0 valid_lft forever preferred_lft forever")
        director.signal(signal.SIGSTOP, "machine")
        since = time.monotonic()
        until(lambda: one.seen.taken("b", since), PATIENCE, "b has the address")
        assert one.seen.lost("a", since) is None
        director.node.ip(f"addr del {VIP}/32 dev eth0")
        one.settle("b")


def test_what_is_frozen_whole_for_a_minute_says_nothing_when_it_thaws(frozen: Frozen) -> None:
    one, director, since = frozen.stage, frozen.stage.directors["a"], frozen.since
    until(lambda: time.monotonic() > since + 60, 2 * PATIENCE, "a minute has passed")
    assert one.seen.owners() == {"b"}
    assert one.seen.shared(since) <= LEASE + 1
    thawed = time.monotonic()
    director.node.signal(signal.SIGCONT)
    until(lambda: len(one.seen.heard("192.0.2.2", thawed)) > 8, PATIENCE, "time passes")
    assert one.seen.moves(thawed) == []
    assert one.seen.heard("192.0.2.1", since) == []
