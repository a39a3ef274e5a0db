"""Floods of ICMP from where a check asks: they cost it little, and its deadline ends it."""

import queue
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from libra_health.checks import IcmpSpec
from libra_health.outcome import Failed, Outcome, Passed, Reason
from libra_health.probes import Changes, Probe
from libra_health.shell.drive import Driver
from libra_health.wire import Effect, Input, PingOpened, Received, Target
from libra_lab.node import Node
from libra_lab.topology import Topology

pytestmark = pytest.mark.kernel

MOST, SECONDS, TIMEOUT = 1_000_000, 2.0, 1.0
MUTE = {"net.ipv4.icmp_echo_ignore_all": 1, "net.ipv6.icmp.echo_ignore_all": 1}
FLOOD = f"""
import contextlib, socket, struct, sys, time
address, follows = sys.argv[1], sys.argv[2] == "ours"
is_ipv6 = ":" in address
family = socket.AF_INET6 if is_ipv6 else socket.AF_INET
sock = socket.socket(family, socket.SOCK_RAW, 58 if is_ipv6 else socket.IPPROTO_ICMP)
sock.connect((address, 0))
echo, reply = (128, 129) if is_ipv6 else (8, 0)

def answer(four):
    body = struct.pack("!BBH", reply, 0, 0) + four + b"not what was sent"
    words = struct.unpack("!%dH" % ((len(body) + 1) // 2), body + bytes(len(body) % 2))
    total = sum(words)
    total = (total & 0xFFFF) + (total >> 16)
    summed = ~(total + (total >> 16)) & 0xFFFF
    return body[:2] + struct.pack("!H", 0 if is_ipv6 else summed) + body[4:]

print("ready", flush=True)
four = bytes(4)
while follows:
    heard = sock.recv(2048)
    heard = heard if is_ipv6 else heard[(heard[0] & 15) * 4:]
    if heard[0] == echo:
        four, follows = heard[4:8], False
packet, ends = answer(four), time.monotonic() + {SECONDS}
for number in range({MOST}):
    with contextlib.suppress(OSError):  # the slow kernel of the lab has no buffer left
        sock.send(packet)
    if number % 100 == 0 and time.monotonic() > ends:
        break
print(number, flush=True)
"""


@dataclass
class Net:
    """A director without ping sockets, and a host that answers nothing by itself."""

    director: Node
    backend: Node
    inputs: "Counter[str]" = field(default_factory=Counter)

    def probe(self, address: str) -> tuple[Outcome, float]:
        """Ping once; return what was found, and after how many seconds."""
        return self.director.call(self._probe, address)

    def _probe(self, address: str) -> tuple[Outcome, float]:
        found: queue.Queue[Outcome] = queue.Queue()
        driver = Driver(lambda _, outcome, __: found.put(outcome), lambda _: None, self._trace)
        probe = Probe(Target(address), IcmpSpec(), 3600.0, TIMEOUT)
        self.inputs.clear()
        driver.start()
        since = time.monotonic()
        driver.call(lambda: driver.apply(Changes((), (probe,), ()), spread=False))
        try:
            return found.get(timeout=20), time.monotonic() - since
        finally:
            driver.stop()

    def _trace(self, _now: float, event: Effect | Input | Outcome) -> None:
        if isinstance(event, PingOpened):
            self.inputs["raw" if event.raw else "ping socket"] += 1
        if isinstance(event, Received):
            self.inputs["heard"] += 1

    @contextmanager
    def flood(self, address: str, whose: str) -> "Iterator[subprocess.Popen[str]]":
        """Have the backend send echo replies without end to `address`."""
        process = self.backend.popen([sys.executable, "-c", FLOOD, address, whose], stdout=-1)
        assert process.stdout is not None
        with process.stdout as said:
            assert said.readline() == "ready\n"
            yield process
            assert int(said.readline()) > 1000


@pytest.fixture(scope="module")
def net() -> Iterator[Net]:
    with Topology() as topology:
        wire = topology.network("wire")
        director = topology.node("d", {"eth0": (wire, ("10.7.0.1/24", "fd00:7::1/64"))})
        backend = topology.node("b", {"eth0": (wire, ("10.7.0.2/24", "fd00:7::2/64"))})
        director.sysctl({"net.ipv4.ping_group_range": "1 0"})
        backend.sysctl(MUTE)
        yield Net(director, backend)


SIDES = pytest.mark.parametrize(
    ("ours", "theirs"), [("10.7.0.1", "10.7.0.2"), ("fd00:7::1", "fd00:7::2")], ids=["v4", "v6"]
)


@SIDES
def test_strangers_replies_never_reach_the_check(net: Net, ours: str, theirs: str) -> None:
    with net.flood(ours, "strangers"):
        found, took = net.probe(theirs)
    assert found == Failed(Reason.TIMEOUT, "no echo reply in time", getattr(found, "latency", 0.0))
    assert TIMEOUT <= took < TIMEOUT + 1.0
    assert net.inputs["raw"] == 1
    assert net.inputs["heard"] <= 64  # what came before the filter was in place


@SIDES
def test_a_host_that_answers_amid_a_flood_of_strangers_is_up(
    net: Net, ours: str, theirs: str
) -> None:
    net.backend.sysctl(dict.fromkeys(MUTE, 0))
    try:
        with net.flood(ours, "strangers"):
            found, _ = net.probe(theirs)
    finally:
        net.backend.sysctl(MUTE)
    assert isinstance(found, Passed)


@SIDES
def test_a_flood_with_our_own_mark_and_another_token_ends_at_the_deadline(
    net: Net, ours: str, theirs: str
) -> None:
    with net.flood(ours, "ours"):
        found, took = net.probe(theirs)
    assert isinstance(found, Failed)
    assert TIMEOUT <= took < TIMEOUT + 1.0
    assert net.inputs["heard"] > 100
