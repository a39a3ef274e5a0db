"""Holds against real servers: what is seen, and how little is asked for it."""

import os
import queue
import resource
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

import pytest

from libra_health.checks.tcp import Exchange, TcpSpec
from libra_health.hold.wanted import Wanted
from libra_health.hold.words import Hold
from libra_health.outcome import Errored, Outcome, Reason
from libra_health.probes import Probe
from libra_health.shell import holds as module
from libra_health.shell.board import Board, Told
from libra_health.shell.drive import Driver
from libra_health.shell.holds import Holds
from libra_health.verdict.watch import Lookout, Watch
from libra_health.wire import Target

PATIENCE = 60.0
SERVER = """
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
listening = socket.create_server((sys.argv[1], int(sys.argv[2])), family=family, backlog=64)
print(listening.getsockname()[1], flush=True)
kept = []
while True:
    kept.append(listening.accept()[0])
"""


@dataclass
class Keeper:
    """Health without its log: a driver, a board and holds, and what the board said."""

    told: "queue.Queue[Told]" = field(default_factory=queue.Queue)
    died: list[BaseException] = field(default_factory=list)
    outcomes: list[tuple[float, Outcome]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.board = Board(self._tell)
        self.driver = Driver(self._report, self.died.append)
        self.holds = Holds(self.driver, self.board.condemn)
        self.driver.start()
        self.driver.call(lambda: self.board.hear({}))

    def _tell(self, told: tuple[Told, ...]) -> None:
        for each in told:
            self.told.put(each)

    def _report(self, probe: Probe, outcome: Outcome, now: float) -> None:
        self.outcomes.append((now, outcome))
        self.board.report(probe, outcome, now)
        self.holds.report(probe, outcome, now)

    def keep(self, *targets: Target, every: float = 30.0, fall: int = 3) -> None:
        """Watch and hold every target; the probe runs at once and then every `every` seconds."""
        watches, wanted = [], []
        for number, target in enumerate(targets):
            key = ("web", f"w{number}")
            probe = Probe(target, TcpSpec(), every, min(every, 5.0))
            lookouts = (Lookout(probe, 1, fall, f"tcp {target}"),)
            watches.append(Watch(key, target.address, target.port, "tcp", str(number), lookouts))
            wanted.append(Wanted(Hold(target, 0.2), (probe,), ((key, 0),)))
        self.driver.call(lambda: self.board.apply(self.driver, tuple(watches), "1"))
        self.driver.call(lambda: self.holds.apply(wanted))
        for each in wanted:
            self.driver.call(partial(self.driver.hurry, each.probes[0], 0.0))

    def next(self) -> tuple[bool, str]:
        """Wait for a verdict: whether it is up, and the detail of its evidence."""
        verdict = self.told.get(timeout=PATIENCE).verdict
        detail = getattr(verdict.findings[0].outcome, "detail", "") if verdict.findings[0] else ""
        return verdict.stand.up, detail

    def until(self, condition: Callable[[], object]) -> None:
        ends = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < ends
            time.sleep(0.005)

    def until_held(self, number: int = 1) -> None:
        self.until(lambda: self.holds.states()["holding"] == number)

    def probes(self) -> int:
        return len(self.outcomes)


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    made = Keeper()
    yield made
    made.driver.call(made.holds.stop)
    made.driver.stop()
    assert made.died == []


@contextmanager
def process(address: str = "127.0.0.1", port: int = 0) -> Iterator[tuple[int, Target]]:
    """Run a server of its own process; give its pid."""
    command = [sys.executable, "-I", "-c", SERVER, address, str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.pid, Target(address, int(server.stdout.readline()))
        finally:
            server.kill()


@contextmanager
def serving(talk: Callable[[socket.socket], None]) -> Iterator[tuple[Target, list[float]]]:
    """Serve on loopback; give the target and when each connection came."""
    came: list[float] = []
    threads = []
    open_ones: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:

        def serve(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                talk(connection)

        def accept() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                came.append(time.monotonic())
                open_ones.append(connection)
                thread = threading.Thread(target=serve, args=(connection,), daemon=True)
                threads.append(thread)
                thread.start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        yield Target("127.0.0.1", server.getsockname()[1]), came
        server.shutdown(socket.SHUT_RDWR)
        accepting.join(PATIENCE)
    for connection in open_ones:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
    for thread in threads:
        thread.join(PATIENCE)


def silent(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def idle_for(seconds: float) -> Callable[[socket.socket], None]:
    def talk(connection: socket.socket) -> None:
        connection.settimeout(seconds)
        with suppress(TimeoutError):
            connection.recv(1)

    return talk


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_killed_server_is_down_at_once_whatever_fall_says(keeper: Keeper, address: str) -> None:
    took = []
    for _ in range(5):
        with process(address) as (pid, target):
            keeper.keep(target, fall=1000)
            assert keeper.next()[0]
            keeper.until_held()
            time.sleep(1.05)  # what stood for less says nothing
            os.kill(pid, signal.SIGKILL)
            since = time.monotonic()
            up, detail = keeper.next()
            took.append(time.monotonic() - since)
        assert not up
        assert detail.startswith(f"hold {target}: connection ended, refused twice within ")
    assert statistics.median(took) < 0.5


def test_a_server_that_comes_back_is_up_soon(keeper: Keeper) -> None:
    with process() as (pid, target):
        keeper.keep(target, fall=1000)
        assert keeper.next()[0]
        keeper.until_held()
        time.sleep(1.05)
        os.kill(pid, signal.SIGKILL)
        assert not keeper.next()[0]
    since = time.monotonic()
    with process(port=target.port):
        assert keeper.next()[0]
        assert time.monotonic() - since < 5.0  # its probe runs every 30 s
        keeper.until_held()


def test_a_server_that_listens_again_at_once_is_not_down(keeper: Keeper) -> None:
    def dialled() -> bool:
        return keeper.holds.states()["holding"] == 1

    server = socket.create_server(("127.0.0.1", 0), backlog=64)
    address = server.getsockname()
    keeper.keep(Target(*address))
    assert keeper.next()[0]
    for _ in range(3):
        keeper.until(dialled)
        connections = [server.accept()[0] for _ in range(2)]
        time.sleep(1.05)
        probes = keeper.probes()
        server.close()
        server = socket.create_server(address, backlog=64)
        for connection in connections:
            connection.close()
        keeper.until(partial(lambda before: keeper.probes() > before, probes))
    keeper.until(dialled)
    server.close()
    assert keeper.told.empty()


def test_an_idle_timeout_is_learned_and_no_flood_of_probes(keeper: Keeper) -> None:
    with serving(idle_for(1.3)) as (target, came):
        keeper.keep(target)
        assert keeper.next()[0]
        keeper.until(lambda: len(keeper.holds.lines[target].held.lives) == 3)
        learned, probes, connections = time.monotonic(), keeper.probes(), len(came)
        time.sleep(4.0)
        assert keeper.told.empty()
        assert probes <= 6
        assert keeper.probes() - probes <= 1  # three without it; a busy machine may be late once
        assert len(came) - connections <= 1 + (time.monotonic() - learned) / 1.1


def test_a_server_that_ends_every_connection_at_once_is_not_stormed(keeper: Keeper) -> None:
    with serving(lambda _: None) as (target, came):
        keeper.keep(target)
        assert keeper.next()[0]
        time.sleep(4.0)
    assert 2 <= len(came) <= 8
    assert keeper.told.empty()


def test_a_server_that_talks_for_ever_is_heard_little_of(keeper: Keeper) -> None:
    sent = [0]

    def talk(connection: socket.socket) -> None:
        while True:
            sent[0] += connection.send(b"x" * 65536)

    with serving(talk) as (target, _):
        keeper.keep(target)
        assert keeper.next()[0]
        keeper.until_held()
        keeper.until(lambda: keeper.holds.lines[target].held.heard >= 65536)
        usage = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        time.sleep(2.0)
        assert keeper.holds.states()["holding"] == 1
        assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - usage < 1.0
        assert sent[0] < 32 << 20  # what the kernel's buffers take, and a little each second


def test_hurried_probes_leave_the_grid_where_it_is(keeper: Keeper) -> None:
    with process() as (_, target):
        keeper.keep(target, every=0.7)
        assert keeper.next()[0]
        (probe,) = keeper.driver.probes
        seat = keeper.driver._seats[probe]
        first, before = seat.due, keeper.probes()
        keeper.driver.call(lambda: keeper.driver.hurry(probe, 1.0))
        time.sleep(2.5)
        periods = (seat.due - first) / 0.7
        assert abs(periods - round(periods)) < 1e-6
        assert 11 <= keeper.probes() - before <= 18


def test_a_hurried_run_is_not_cut_short_by_the_grid(keeper: Keeper) -> None:
    with serving(silent) as (target, _):
        probe = Probe(target, TcpSpec((Exchange(expect="never"),)), 0.3, 0.3)
        key = ("web", "w0")
        watch = Watch(key, target.address, target.port, "tcp", "", (Lookout(probe, 1, 9, "tcp"),))
        keeper.driver.call(lambda: keeper.board.apply(keeper.driver, (watch,), "1"))
        keeper.driver.call(lambda: keeper.driver.hurry(probe, 5.0))
        keeper.until(lambda: keeper.probes() >= 5)
    assert min(getattr(outcome, "latency", 0.0) for _, outcome in keeper.outcomes[:5]) >= 0.29


def test_holds_give_way_where_descriptors_are_few(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    monkeypatch.setattr(module, "RESERVE", limit - 6 - 3)  # six probes, and room for three more
    with ExitStack() as stack:
        servers = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(6)]
        keeper.keep(*(Target(*server.getsockname()) for server in servers))
        keeper.until(lambda: keeper.holds.states() == {"holding": 3, "withheld": 3})
        probe = next(iter(keeper.driver.probes))
        lack = Errored(Reason.DESCRIPTORS, "EMFILE")
        keeper.driver.call(lambda: keeper.holds.report(probe, lack, time.monotonic()))
        keeper.until(lambda: keeper.holds.states() == {"withheld": 6})


def test_what_is_wanted_no_more_is_let_go(keeper: Keeper) -> None:
    ended: list[int] = []

    def talk(connection: socket.socket) -> None:
        with suppress(ConnectionResetError):
            silent(connection)
        ended.append(1)

    with serving(talk) as (target, came):
        keeper.keep(target)
        keeper.until_held()
        keeper.keep()
        keeper.until(lambda: keeper.holds.states() == {})
        keeper.until(lambda: len(ended) == len(came) >= 2)
