import os
import queue
import resource
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

import pytest

from libra_health.checks import HttpSpec, IcmpSpec, TcpSpec
from libra_health.checks.http import Ask
from libra_health.checks.tcp import Exchange
from libra_health.http.expectations import Contains, Matches
from libra_health.http.request import Request
from libra_health.outcome import Errored, Failed, Outcome, Passed, Reason
from libra_health.probes import Changes, Probe
from libra_health.shell.drive import Driver
from libra_health.shell.loop import Loop
from libra_health.shell.matcher import BUDGET
from libra_health.wire import Target

PATIENCE = 60.0


@dataclass
class Bench:
    """A driver and what it reported."""

    driver: Driver
    reports: queue.Queue[tuple[Probe, Outcome, float]]

    def change(self, changes: Changes) -> None:
        self.driver.call(lambda: self.driver.apply(changes, spread=False))

    def run(self, *probes: Probe) -> None:
        self.change(Changes((), probes, ()))

    def next(self) -> tuple[Probe, Outcome, float]:
        return self.reports.get(timeout=PATIENCE)

    def outcome_of(self, probe: Probe) -> Outcome:
        self.run(probe)
        found, outcome, _ = self.next()
        assert found == probe
        return outcome


@pytest.fixture
def bench() -> Iterator[Bench]:
    reports: queue.Queue[tuple[Probe, Outcome, float]] = queue.Queue()
    died: list[BaseException] = []
    driver = Driver(lambda *report: reports.put(report), died.append)
    driver.start()
    yield Bench(driver, reports)
    driver.stop()
    assert died == []


@contextmanager
def served(
    talk: Callable[[socket.socket], None], family: socket.AddressFamily = socket.AF_INET
) -> Iterator[Target]:
    """Serve on loopback; `talk` is given every connection, in a thread of its own."""
    host = "::1" if family is socket.AF_INET6 else "127.0.0.1"
    talks: list[tuple[socket.socket, threading.Thread]] = []
    with socket.create_server((host, 0), family=family, backlog=512) as server:

        def accept() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                worker = threading.Thread(target=serve, args=(connection,), daemon=True)
                talks.append((connection, worker))
                worker.start()

        def serve(connection: socket.socket) -> None:
            with connection:
                try:
                    talk(connection)
                except OSError:
                    return

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield Target(host, server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
    for connection, worker in talks:  # none outlives its test with an open socket
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        worker.join(PATIENCE)


def say(*parts: bytes, pause: float = 0.0) -> Callable[[socket.socket], None]:
    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)

    return talk


def silent(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def once(target: Target, spec: TcpSpec | HttpSpec | IcmpSpec, timeout: float = 5.0) -> Probe:
    return Probe(target, spec, 3600.0, timeout)


def http(target: Target, body: bytes = b"") -> HttpSpec:
    return HttpSpec((Ask(Request(str(target)), body=(Contains(body),) if body else ()),))


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_an_open_port_passes(bench: Bench, family: socket.AddressFamily) -> None:
    with served(silent, family) as target:
        outcome = bench.outcome_of(once(target, TcpSpec()))
    assert isinstance(outcome, Passed)
    assert 0 <= outcome.latency < PATIENCE


def test_a_closed_port_is_refused(bench: Bench) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        target = Target("127.0.0.1", bound.getsockname()[1])
        outcome = bench.outcome_of(once(target, TcpSpec()))
    assert isinstance(outcome, Failed)
    assert outcome.reason is Reason.REFUSED


def test_a_dialogue_is_held(bench: Bench) -> None:
    with served(say(b"+PO", b"NG\r\n", pause=0.01)) as target:
        outcome = bench.outcome_of(once(target, TcpSpec((Exchange(b"PING\r\n", "PONG"),))))
    assert isinstance(outcome, Passed)


def test_a_silent_backend_times_out_in_time(bench: Bench) -> None:
    with served(silent) as target:
        outcome = bench.outcome_of(once(target, TcpSpec((Exchange(expect="220"),)), timeout=0.1))
    assert isinstance(outcome, Failed)
    assert outcome.reason is Reason.TIMEOUT
    assert 0.1 <= outcome.latency < PATIENCE


def test_a_full_backlog_is_no_connection_in_time(bench: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        address = server.getsockname()
        with socket.create_connection(address):
            target = Target("127.0.0.1", address[1])
            outcome = bench.outcome_of(once(target, TcpSpec(), timeout=0.2))
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.detail) == (Reason.TIMEOUT, "no connection in time")


def test_a_reset_is_a_reset(bench: Bench) -> None:
    def reset(connection: socket.socket) -> None:
        connection.recv(65536)
        linger = struct.pack("ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    with served(reset) as target:
        outcome = bench.outcome_of(once(target, http(target)))
    assert isinstance(outcome, Failed)
    assert outcome.reason is Reason.RESET


BODY = b"x" * 300_000 + b"healthy"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY)


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param((HEAD + BODY,), id="one large answer"),
        pytest.param((HEAD[:20], HEAD[20:], BODY[:9], BODY[9:]), id="in pieces"),
        pytest.param((b"HTTP/1.0 200 OK\r\n\r\n" + BODY,), id="until close"),
    ],
)
def test_an_http_answer_is_read_to_its_end(bench: Bench, parts: tuple[bytes, ...]) -> None:
    with served(say(*parts, pause=0.01)) as target:
        outcome = bench.outcome_of(once(target, http(target, b"healthy")))
    assert isinstance(outcome, Passed)


def test_an_http_error_fails_with_its_status(bench: Bench) -> None:
    with served(say(b"HTTP/1.1 503 Oh\r\n\r\n")) as target:
        outcome = bench.outcome_of(once(target, http(target)))
    assert isinstance(outcome, Failed)
    assert outcome.detail == "status 503, wanted 200-299"


def test_a_request_larger_than_the_socket_buffer_is_sent_whole(bench: Bench) -> None:
    size = 8_000_000

    def swallow(connection: socket.socket) -> None:
        got = 0
        while got < size:
            got += len(connection.recv(65536))
        connection.sendall(b"got it")

    with served(swallow) as target:
        outcome = bench.outcome_of(once(target, TcpSpec((Exchange(b"x" * size, "got it"),))))
    assert isinstance(outcome, Passed)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_an_echo_is_answered(bench: Bench, address: str) -> None:
    outcome = bench.outcome_of(once(Target(address), IcmpSpec()))
    if isinstance(outcome, Errored):  # unprivileged and outside net.ipv4.ping_group_range
        assert os.geteuid() != 0
        assert outcome.reason is Reason.PERMISSION
    else:
        assert isinstance(outcome, Passed)


def test_no_descriptor_left_is_our_trouble(bench: Bench) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with served(silent) as target:
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
        try:
            outcome = bench.outcome_of(once(target, TcpSpec()))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert outcome == Errored(Reason.DESCRIPTORS, "EMFILE")


def test_an_address_that_cannot_be_routed_is_our_trouble(bench: Bench) -> None:
    outcome = bench.outcome_of(once(Target("255.255.255.255", 80), TcpSpec()))
    assert isinstance(outcome, Errored)


def test_a_probe_keeps_its_phase_while_others_come_and_go(bench: Bench) -> None:
    with served(silent) as target:
        steady = Probe(target, TcpSpec(), 0.1, 0.1)
        bench.run(steady)
        bench.next()
        first = bench.driver._seats[steady].due  # what the grid says: no load makes it late
        others = tuple(replace(steady, every=0.1 + n / 1000) for n in range(1, 10))
        for n in range(4):
            bench.change(Changes(others if n % 2 else (), () if n % 2 else others, ()))
            while bench.next()[0] != steady:
                pass
        last = bench.driver._seats[steady].due
    periods = (last - first) / 0.1
    assert round(periods) >= 4
    assert abs(periods - round(periods)) < 1e-6


def test_a_retimed_probe_counts_from_its_last_run(bench: Bench) -> None:
    with served(silent) as target:
        slow = once(target, TcpSpec())
        bench.run(slow)
        _, _, first = bench.next()
        fast = replace(slow, every=0.2)
        bench.change(Changes((), (), ((slow, fast),)))
        found, _, second = bench.next()
    assert found == fast
    assert 0.15 < second - first < PATIENCE


def test_a_stopped_probe_is_heard_of_no_more(bench: Bench) -> None:
    with served(silent) as target:
        waiting = once(target, TcpSpec((Exchange(expect="never"),)), timeout=0.2)
        bench.run(waiting)
        bench.change(Changes((waiting,), (), ()))
        marker = once(target, TcpSpec())
        bench.run(marker)
        assert bench.next()[0] == marker
        with pytest.raises(queue.Empty):
            bench.reports.get(timeout=0.4)


def test_a_stalled_backend_delays_no_other(bench: Bench) -> None:
    with served(silent) as target:
        stalled = [
            once(target, TcpSpec((Exchange(expect=f"{n}"),)), timeout=5.0) for n in range(200)
        ]
        bench.run(*stalled, once(target, TcpSpec()))
        _, outcome, _ = bench.next()
    assert isinstance(outcome, Passed)


def test_a_run_that_lasts_its_whole_period_still_ends(bench: Bench) -> None:
    with served(silent) as target:
        bench.run(Probe(target, TcpSpec((Exchange(expect="never"),)), 0.1, 0.1))
        outcomes = [bench.next()[1] for _ in range(4)]
    assert {o.reason for o in outcomes if isinstance(o, Failed)} == {Reason.TIMEOUT}


def test_a_driver_that_dies_says_so() -> None:
    died: queue.Queue[BaseException] = queue.Queue()

    def broken(*_: object) -> None:
        raise RuntimeError("no one listens")

    driver = Driver(broken, died.put)
    driver.start()
    gone = once(Target("255.255.255.255", 80), TcpSpec())
    driver.call(lambda: driver.apply(Changes((), (gone,), ()), spread=False))
    assert str(died.get(timeout=PATIENCE)) == "no one listens"
    driver.stop()


def test_an_answer_on_which_a_pattern_explodes_holds_nobody_up(bench: Bench) -> None:
    evil = b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * 64 + b"b"
    with served(say(evil)) as hostile, served(silent) as good:
        costly = HttpSpec((Ask(Request(str(hostile)), body=(Matches("(a+)+$"),)),))
        bench.run(Probe(hostile, costly, 0.05, 0.05), Probe(good, TcpSpec(), 0.05, 0.05))
        results = [bench.next() for _ in range(100)]
    found = {
        probe.target: {type(o) for p, o, _ in results if p == probe} for probe, _, _ in results
    }
    assert found[good] == {Passed}
    assert Passed not in found[hostile]
    assert bench.driver.load.take_worst_lag() < 40 * BUDGET


def test_a_stall_of_our_own_counts_against_nobody() -> None:
    reports: list[Outcome] = []
    driver = Driver(lambda _, outcome, __: reports.append(outcome), lambda _: None)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    try:
        with served(say(answer)) as target:
            probe = once(target, http(target), timeout=0.2)
            driver.apply(Changes((), (probe,), ()), spread=False)
            driver._turn()  # connects
            time.sleep(0.5)  # the whole time of the run goes by unused
            while not reports:
                driver._turn()
    finally:
        driver.start()
        driver.stop()
    assert isinstance(reports[0], Passed)


def test_work_that_asks_for_itself_again_at_once_holds_nobody_up() -> None:
    loop, turns = Loop(), list[float]()

    def again() -> None:
        turns.append(0.0)
        if len(turns) < 100:
            loop.call_at(0.0, again)

    loop.call_at(0.0, again)
    loop.serve(1.0)
    assert len(turns) == 1
    assert loop.due == 0.0
    loop.leave()
    loop.silence()


@contextmanager
def slow(pause: float) -> Iterator[tuple[Target, threading.Event]]:
    """Serve one who answers whatever it is told after a pause; tells when it was asked first."""
    asked = threading.Event()

    def talk(connection: socket.socket) -> None:
        while said := connection.recv(100):
            asked.set()
            time.sleep(pause)
            connection.sendall(said)

    with served(talk) as target:
        yield target, asked


TWICE = TcpSpec((Exchange(b"one", "one"), Exchange(b"two", "two")))


@pytest.mark.parametrize(
    ("timeout", "stall", "pause"),
    [
        pytest.param(0.4, 2.5, 0.1, id="over its deadline and when it was due again"),
        pytest.param(1.0, 0.9, 0.3, id="until just before both"),
        pytest.param(1.0, 2.5, 0.3, id="over both at once"),
    ],
)
def test_a_stall_of_our_own_ends_no_run_that_is_due_again(
    bench: Bench, timeout: float, stall: float, pause: float
) -> None:
    with slow(pause) as (target, asked):
        bench.run(Probe(target, TWICE, 1.0, timeout))
        assert asked.wait(PATIENCE)
        bench.driver.call(lambda: time.sleep(stall))
        outcomes = [bench.next()[1] for _ in range(2)]
    assert [type(each) for each in outcomes] == [Passed, Passed]


def test_a_driver_that_always_stalls_still_ends_a_run(bench: Bench) -> None:
    is_over = threading.Event()

    def stall() -> None:
        if not is_over.is_set():
            time.sleep(0.5)
            bench.driver.call(stall)

    with served(silent) as target:
        bench.driver.call(stall)
        bench.run(Probe(target, TcpSpec((Exchange(expect="never"),)), 0.2, 0.2))
        try:
            outcomes = [bench.reports.get(timeout=10)[1] for _ in range(2)]
        finally:
            is_over.set()
    assert [each.reason for each in outcomes if isinstance(each, Failed)] == [Reason.TIMEOUT] * 2


def test_a_stall_gives_a_run_no_more_than_its_time_again(bench: Bench) -> None:
    with slow(3.0) as (target, asked):
        bench.run(Probe(target, TWICE, 3600.0, 0.2))
        assert asked.wait(PATIENCE)
        bench.driver.call(lambda: time.sleep(2.0))
        outcome = bench.next()[1]
    assert isinstance(outcome, Failed)
    assert 2.0 < outcome.latency < 3.5
