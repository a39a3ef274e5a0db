"""The watchdog: only who hangs is killed, and only while we ourselves were awake."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from libra_cli import watchdog
from libra_cli.processes import listener
from libra_cli.watchdog import Endpoint, watch
from libra_runtime.nats_server import free_port

SERVICE = """
import asyncio, sys
from libra_runtime import metrics
asyncio.run(metrics.serve(int(sys.argv[1]), lambda: sys.argv[2] or None))
"""
PARENT = """
import subprocess, sys
while True:
    subprocess.run([sys.executable, "-c", *sys.argv[1:]])
"""
LOOK = 0.1


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "LOOK", LOOK)


async def until(truth: Callable[[], object], patience: float = 30.0) -> None:
    async with asyncio.timeout(patience):
        while not truth():  # noqa: ASYNC110 - processes raise no event
            await asyncio.sleep(0.01)


def start(*words: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(words, start_new_session=True)


class Watched:
    """A program that answers on a port, and its watchdog."""

    def __init__(self, program: "subprocess.Popen[bytes]", port: int) -> None:
        self.program, self.port = program, port
        self.owner = program.pid
        self.said: list[str] = []
        self.where = Endpoint("127.0.0.1", port)

    @property
    def answerer(self) -> int:
        found = listener(self.port)
        return found.pid if found else 0

    async def answers(self) -> None:
        """Wait until the watchdog has had an answer and knows of whom."""
        await until(lambda: self.answerer)
        async with asyncio.timeout(30):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(b"GET /healthz HTTP/1.1\r\n\r\n")
            assert await reader.read()
            writer.close()
        await asyncio.sleep(5 * LOOK)


@pytest.fixture
def port() -> int:
    return free_port()


@asynccontextmanager
async def watched(port: int, *words: str) -> AsyncIterator[Watched]:
    program = start(sys.executable, "-c", *words)
    each = Watched(program, port)
    task = asyncio.create_task(watch("it", each.where, lambda: each.owner, each.said.append))
    try:
        yield each
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        with suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)
        program.wait()


async def test_a_hung_program_is_killed_and_named(port: int) -> None:
    async with watched(port, SERVICE, str(port), "") as each:
        await each.answers()
        os.kill(each.program.pid, signal.SIGSTOP)
        assert await asyncio.to_thread(each.program.wait, 30) == -signal.SIGKILL
        pid = each.program.pid
        assert each.said == [f"it (process {pid}) lives but does not answer; killing it"]


async def test_of_a_program_of_several_processes_only_the_one_that_answers_is_killed(
    port: int,
) -> None:
    async with watched(port, PARENT, SERVICE, str(port), "") as each:
        await each.answers()
        hung = each.answerer
        os.kill(hung, signal.SIGSTOP)
        await until(lambda: each.answerer not in {0, hung})
        assert each.program.poll() is None
        assert [str(hung) in line for line in each.said] == [True]


async def test_a_program_that_answers_that_it_is_unhealthy_is_left_alone(port: int) -> None:
    async with watched(port, SERVICE, str(port), "the log is away") as each:
        await each.answers()
        await asyncio.sleep(10 * LOOK)
        assert each.program.poll() is None
        assert each.said == []


async def test_a_program_that_never_answered_is_starting_and_left_alone(port: int) -> None:
    silent = (
        "import socket, time, sys\n"
        "s = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n"
        "time.sleep(60)\n"
    )
    async with watched(port, silent, str(port)) as each:
        await until(lambda: each.answerer)
        await asyncio.sleep(15 * LOOK)
        assert each.program.poll() is None
        assert each.said == []


async def test_what_is_not_of_the_program_is_left_alone(port: int) -> None:
    other = start("/bin/sleep", "60")
    async with watched(port, SERVICE, str(port), "") as each:
        each.owner = other.pid
        await each.answers()
        os.kill(each.program.pid, signal.SIGSTOP)
        await asyncio.sleep(15 * LOOK)
        assert (each.program.poll(), other.poll(), each.said) == (None, None, [])
    other.kill()
    other.wait()


async def test_looks_during_which_we_were_not_awake_prove_nothing(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "LATE", -LOOK / 2)
    async with watched(port, SERVICE, str(port), "") as each:
        await each.answers()
        os.kill(each.program.pid, signal.SIGSTOP)
        await asyncio.sleep(15 * LOOK)
        assert each.said == []
        monkeypatch.setattr(watchdog, "LATE", 1.0)
        assert await asyncio.to_thread(each.program.wait, 30) == -signal.SIGKILL


IN_ITS_LOOP = "while True: pass"
IN_A_THREAD = "threading.Thread(target=exec, args=('while True: pass',)).start(); stop.wait()"


@pytest.mark.parametrize("computes", [IN_ITS_LOOP, IN_A_THREAD])
async def test_a_program_that_computes_gets_more_time(
    port: int, monkeypatch: pytest.MonkeyPatch, computes: str
) -> None:
    monkeypatch.setattr(watchdog, "BUSY", 0)
    busy = (
        "import asyncio, signal, sys, threading\n"
        "from libra_runtime import metrics\n"
        "stop = threading.Event()\n"
        "def compute(*_):\n"
        f"    {computes}\n"
        "signal.signal(signal.SIGUSR1, compute)\n"
        "asyncio.run(metrics.serve(int(sys.argv[1]), lambda: None))\n"
    )
    async with watched(port, busy, str(port)) as each:
        await each.answers()
        os.kill(each.program.pid, signal.SIGUSR1)
        await asyncio.sleep(10 * LOOK)
        assert each.program.poll() is None
        assert each.said == []
