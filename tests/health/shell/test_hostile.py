"""Hostile servers: none stalls another check, none makes memory grow, all through the real driver.

Every kind of check in tests.health.written meets every behaviour of tests.health.hostile_servers.
"""

import json
import os
import queue
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import pytest
from tests.health import hostile_servers
from tests.health.written import Example, examples

from libra_health import checks
from libra_health.outcome import Errored, Failed, Outcome, Passed, Reason
from libra_health.probes import Changes, Probe
from libra_health.shell.drive import Driver
from libra_health.wire import (
    RECEIVE,
    DeadlineReached,
    Effects,
    Input,
    OpenUdp,
    Send,
    Target,
    UdpOpened,
)

PATIENCE: Final = 60.0
TIMEOUT: Final = 0.3
LATE: Final = 0.8
"""Seconds that the answer of a good server may take beside hostile ones, on a busy machine."""
GROWTH: Final = 96 << 20
"""Bytes that the process may grow by while hundreds of hostile servers are checked."""
GOOD: Final = 10
"""Good servers, each checked every second: one every 100 ms."""

STREAMS: Final = [
    example
    for example in examples("tcp", "http", "https", "tls", "smtp", "ldap", "dns")
    if not any("file" in key for key in example.keys)
    and (example.kind != "dns" or "transport" in example.keys)
]
DATAGRAMS: Final = [
    example for example in examples("udp", "dns") if "transport" not in example.keys
]
SECURED: Final = [each for each in STREAMS if each.kind in {"https", "tls"} or "tls" in each.keys]

BEHAVIOURS: Final = [
    *hostile_servers.BEHAVIOURS,
    *(each for each in hostile_servers.DATAGRAMS if DATAGRAMS and each != "noise"),
]

Case = tuple[str, str]
"""What a server does and what is asked of it."""
Report = tuple[Probe, Outcome, float]


@contextmanager
def ports(directory: Path) -> Iterator[dict[str, int]]:
    """Run the servers in a process of their own; give the port of each behaviour."""
    program = [sys.executable, str(Path(hostile_servers.__file__)), str(directory)]
    process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.kill()


@dataclass
class Ports:
    """Where the hostile servers are, and the good one, which is in another process."""

    hostile: dict[str, int]
    good: int


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ports]:
    where = tmp_path_factory.mktemp("hostile")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "7"),
            *("-subj", "/CN=localhost", "-keyout", where / "key.pem", "-out", where / "cert.pem"),
        ],
        check=True,
        capture_output=True,
    )
    with ExitStack() as stack:
        hostile = stack.enter_context(ports(where))
        yield Ports(hostile, stack.enter_context(ports(where))["good"])


@dataclass
class Found:
    """What a driver reported, by hostile server and check, and what it cost."""

    by_case: dict[Case, list[Outcome]]
    good: list[Outcome]
    worst_lag: float
    growth: int


def cases(servers: Ports, behaviour: str) -> dict[Probe, Case]:
    """List the probes that meet a behaviour, over TCP, under TLS and over UDP."""
    met = [
        (behaviour, STREAMS),
        (f"over-tls-{behaviour}", SECURED),
        (f"udp-{behaviour}", DATAGRAMS),
    ]
    return {
        example.probe(f"127.0.0.1:{servers.hostile[name]}", 3600.0, TIMEOUT): (name, str(example))
        for name, those in met
        for example in those
        if name in servers.hostile
    }


def goods(servers: Ports) -> list[Probe]:
    """List probes of the good server that differ in what they ask for alone."""
    return [
        Example("http", {"path": f"/{n}"}).probe(f"127.0.0.1:{servers.good}", 1.0, 1.0)
        for n in range(GOOD)
    ]


class Bench:
    """A driver that checks the good server all the time, and hostile ones when it is told to."""

    def __init__(self, servers: Ports) -> None:
        self.reports: queue.Queue[Report | None] = queue.Queue()
        self.died: list[BaseException] = []
        self.driver = Driver(lambda *report: self.reports.put(report), self.mourn)
        self.driver.matcher.prepare(PATIENCE)
        self.driver.start()
        self.change(Changes((), tuple(goods(servers)), ()), spread=True)
        for _ in range(2 * GOOD):
            self.next()

    def mourn(self, error: BaseException) -> None:
        self.died.append(error)
        self.reports.put(None)

    def next(self) -> Report:
        report = self.reports.get(timeout=PATIENCE)
        if report is None:
            raise self.died[0]
        return report

    def change(self, changes: Changes, *, spread: bool = False) -> None:
        self.driver.call(lambda: self.driver.apply(changes, spread=spread))

    def meet(self, hostile: dict[Probe, Case], spread: float = 0.2) -> Found:
        """Check hostile servers once each, begun over `spread` seconds, beside the good one."""
        self.driver.load.take_worst_lag()
        before, begun, at = resident(), time.monotonic(), 0
        probes, found = list(hostile), Found(defaultdict(list), [], 0.0, 0)
        while len(found.by_case) < len(hostile) or len(found.good) < GOOD // 2:
            due = int(len(probes) * (time.monotonic() - begun) / spread) + 1
            self.change(Changes((), tuple(probes[at:due]), ()))
            at = min(due, len(probes))
            probe, outcome, _ = self.next()
            if probe in hostile:
                found.by_case[hostile[probe]].append(outcome)
            else:
                found.good.append(outcome)
            found.growth = max(found.growth, resident() - before)
        found.worst_lag = self.driver.load.take_worst_lag()
        self.change(Changes(tuple(probes), (), ()))
        return found

    def close(self) -> None:
        self.driver.stop()
        assert self.died == []


@pytest.fixture(scope="module")
def bench(servers: Ports) -> Iterator[Bench]:
    one = Bench(servers)
    yield one
    one.close()


def resident() -> int:
    """Tell how many bytes of memory this process has."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def descriptors() -> int:
    """Tell how many files and sockets this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def took(outcome: Outcome) -> float:
    return 0.0 if isinstance(outcome, Errored) else outcome.latency


def require_unharmed(found: Found) -> None:
    """Hold what was found against what a hostile server may do: end its own check, no more."""
    assert {type(outcome) for outcome in found.good} == {Passed}
    assert max(map(took, found.good)) < LATE
    assert found.worst_lag < LATE
    assert found.growth < GROWTH


def is_fair(outcome: Outcome) -> bool:
    """Tell whether an outcome may be: trouble of our own is none, but for a pattern at rest."""
    if isinstance(outcome, Errored):
        return outcome.reason is Reason.LOCAL and "could not be matched" in outcome.detail
    return took(outcome) < TIMEOUT + LATE


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_a_hostile_server_ends_its_own_check_and_harms_no_other(
    servers: Ports, bench: Bench, behaviour: str
) -> None:
    hostile = cases(servers, behaviour)
    found = bench.meet(hostile)
    require_unharmed(found)
    assert {case: told for case, told in found.by_case.items() if not all(map(is_fair, told))} == {}


def test_all_of_them_at_once_harm_no_other_and_leave_no_socket_open(servers: Ports) -> None:
    before = descriptors()
    hostile: dict[Probe, Case] = {}
    for behaviour in hostile_servers.BEHAVIOURS:
        hostile |= cases(servers, behaviour)
    bench = Bench(servers)
    try:
        require_unharmed(bench.meet(hostile, 4.0))
    finally:
        bench.close()
    deadline = time.monotonic() + PATIENCE
    while descriptors() > before:  # the bench of the module may be within a check
        assert time.monotonic() < deadline


@pytest.mark.parametrize(
    ("behaviour", "keys", "reason"),
    [
        ("endless-head", {}, Reason.OVERSIZED),
        ("endless-interim", {}, Reason.OVERSIZED),
        ("endless-line", {}, Reason.OVERSIZED),
        ("endless-trailer", {"contains": "x"}, Reason.OVERSIZED),
        ("endless-body", {"contains": "x"}, Reason.CONTENT),
        ("endless-until-close", {"contains": "x"}, Reason.CONTENT),
        ("chunk-dust", {"contains": "y"}, Reason.CONTENT),
        ("chunk-giant", {"contains": "x"}, Reason.CONTENT),
        ("chunk-line", {"contains": "x"}, Reason.MALFORMED),
        ("gzip-bomb", {"contains": "0000"}, Reason.CONTENT),
        ("drip", {}, Reason.TIMEOUT),
        ("silent", {}, Reason.TIMEOUT),
        ("deaf", {}, Reason.TIMEOUT),
        ("reset-after-request", {}, Reason.RESET),
        ("reset-in-head", {}, Reason.RESET),
        ("reset-in-body", {"contains": "x"}, Reason.RESET),
        ("close-after-request", {}, Reason.CLOSED),
        ("half-close", {}, Reason.CLOSED),
        ("close-in-head", {}, Reason.MALFORMED),
        ("close-in-body", {"contains": "x"}, Reason.MALFORMED),
        ("noise", {}, Reason.OVERSIZED),
    ],
)
def test_http_says_what_a_hostile_server_did(
    servers: Ports, bench: Bench, behaviour: str, keys: dict[str, str], reason: Reason
) -> None:
    probe = Example("http", keys).probe(f"127.0.0.1:{servers.hostile[behaviour]}", 3600.0, 0.5)
    case = (behaviour, "http")
    (outcome,) = bench.meet({probe: case}).by_case[case]
    assert isinstance(outcome, Failed)
    assert outcome.reason is reason


@dataclass(frozen=True)
class Patient:
    """A check that no answer is enough for, and that takes longer over one than its sender."""


def patient(state: Patient, event: Input, _now: float) -> tuple[Patient, Effects | Outcome]:
    match event:
        case DeadlineReached():
            return state, Failed(Reason.TIMEOUT, "not enough")
        case UdpOpened():
            return state, (Send(b"PING"), *RECEIVE)
        case _:
            time.sleep(0.002)
            return state, RECEIVE


def test_answers_that_never_cease_hold_up_neither_another_check_nor_the_deadline(
    servers: Ports, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(target: Target, spec: Patient, _now: float) -> tuple[Any, Effects]:
        return spec, (OpenUdp(target),)

    monkeypatch.setitem(checks.STARTS, Patient, ("patient", start))
    monkeypatch.setitem(checks.STEPS, Patient, patient)
    endless = Target("127.0.0.1", servers.hostile["udp-noise"])
    probe = Probe(endless, cast("checks.Spec", Patient()), 3600.0, 1.5)
    found = bench.meet({probe: ("noise", "patient")})
    require_unharmed(found)
    assert found.by_case["noise", "patient"] == [Failed(Reason.TIMEOUT, "not enough")]
