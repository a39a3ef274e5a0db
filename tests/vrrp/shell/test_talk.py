"""The line between machine and reporter: nothing blocks, nothing that matters is lost."""

import asyncio
import socket
from collections.abc import Iterator

import pytest

from libra_vrrp import orders, reports
from libra_vrrp.orders import Coverage, Hello, Taken
from libra_vrrp.reports import AlarmRaised, Awake, Statistics
from libra_vrrp.shell.line import Line
from libra_vrrp.shell.talk import Talk

Ends = tuple[socket.socket, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    machine, reporter = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    machine.setblocking(False)
    reporter.setblocking(False)
    yield machine, reporter
    machine.close()
    reporter.close()


def alarm(count: int) -> AlarmRaised:
    return AlarmRaised("front", "checksum", None, "x" * 500, count, 0.0)


def received(reporter: socket.socket) -> list[reports.Numbered]:
    found = []
    while True:
        try:
            found.append(reports.loads(reporter.recv(1 << 16)))
        except BlockingIOError:
            return found


def test_a_reporter_that_does_not_read_never_blocks_the_machine(ends: Ends) -> None:
    machine, reporter = ends
    talk = Talk(machine)
    for count in range(1, 900):
        talk.tell(alarm(count))
        talk.flush()
    seen: list[int] = []
    while found := received(reporter):
        seen += [one.report.count for one in found if isinstance(one.report, AlarmRaised)]
        talk.flush()
    assert seen == list(range(1, 900))


def test_a_new_reporter_is_told_what_the_old_one_had_not_taken(ends: Ends) -> None:
    machine, reporter = ends
    talk = Talk(machine)
    talk.tell(alarm(1))
    talk.tell(alarm(2))
    talk.flush()
    awake, first, _ = received(reporter)
    assert isinstance(awake.report, Awake)
    reporter.send(orders.dumps(Taken(first.boot, first.number)))
    reporter.send(b"nonsense")
    reporter.send(orders.dumps(Hello()))
    taken, hello = talk.heard()
    assert isinstance(taken, Taken)
    assert hello == Hello()
    talk.forget(taken)
    talk.again([Statistics({"sent": 1}, 0.0, 0.0)])
    assert [one.report for one in received(reporter)] == [
        Awake(),
        alarm(2),
        Statistics({"sent": 1}, 0.0, 0.0),
    ]


async def test_the_reporters_end_yields_reports_and_sends_orders(ends: Ends) -> None:
    machine, reporter = ends
    line = Line(reporter)
    talk = Talk(machine)
    talk.tell(alarm(1))
    machine.send(b"nonsense")
    talk.flush()
    async with asyncio.timeout(60):
        found = []
        async for numbered in line.reports():
            found.append(numbered.report)
            if len(found) == 2:
                break
    assert found == [Awake(), alarm(1)]
    line.send(Coverage(0.93))
    assert talk.heard() == [Coverage(0.93)]
    assert line.waiting() == []


async def test_both_ends_notice_when_there_is_no_one_left(ends: Ends) -> None:
    machine, reporter = ends
    line, talk = Line(reporter), Talk(machine)
    machine.send(b"nonsense")
    machine.shutdown(socket.SHUT_RDWR)
    async with asyncio.timeout(60):
        assert [numbered async for numbered in line.reports()] == []
    with pytest.raises(EOFError):
        talk.heard()


async def test_what_a_dead_reporter_had_read_is_not_skipped_by_its_successor(ends: Ends) -> None:
    """It had read the first alarm and not taken it; the second was still unread."""
    machine, reporter = ends
    talk = Talk(machine)
    talk.tell(alarm(1))
    talk.tell(alarm(2))
    talk.flush()
    assert isinstance(reports.loads(reporter.recv(1 << 16)).report, Awake)
    assert reports.loads(reporter.recv(1 << 16)).report == alarm(1)
    line = Line(reporter)
    line.greet()
    assert line.waiting() == []
    assert talk.heard() == [Hello()]
    talk.again([])
    told = [one.report for one in line.waiting()]
    assert told == [Awake(), Awake(), alarm(1), alarm(2)]


async def test_a_greeting_without_an_answer_is_repeated(ends: Ends) -> None:
    machine, reporter = ends
    line = Line(reporter)
    line.greet()
    talk = Talk(machine)
    assert talk.heard() == [Hello()]
    talk.mention(Statistics({}, 0.0, 0.0))
    assert line.waiting() == []
    assert talk.heard() == [Hello()]


async def test_the_reporter_learns_that_orders_were_lost(ends: Ends) -> None:
    machine, reporter = ends
    line, talk = Line(reporter), Talk(machine)
    line.send(Coverage(0.93))
    assert not line.has_lost()
    for _ in range(3000):
        line.send(Coverage(0.93))
    assert line.has_lost()
    assert not line.has_lost()
    assert len(talk.heard()) < 3000
