"""probe-cpu: CPU per check at 1,000 checks a second, keepalived's checker beside it.

Both check the same 1,000 targets (addresses of one machine) once a second from one director.
"""

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from bench.keepalived import children, cpu_seconds, keepalived, wait_for
from bench.report import Measured, Row, repeats
from libra_health.checks import HttpSpec, IcmpSpec, Spec, TcpSpec
from libra_health.checks.http import Ask
from libra_health.http.request import Request
from libra_health.probes import Probe
from libra_health.shell.measure import cost
from libra_health.wire import Target
from libra_lab.node import Node
from libra_lab.topology import Topology

TARGETS, ROUNDS, SECONDS = 1000, 3, 10.0
ANSWERS = """
import socket, sys
listener = socket.create_server(("0.0.0.0", int(sys.argv[1])), backlog=4096)
answer = sys.argv[2].encode().decode("unicode_escape").encode()
print("ready", flush=True)
while True:
    connection = listener.accept()[0]
    if answer:
        connection.recv(4096)
        connection.sendall(answer)
    connection.close()
"""
PAGE = r"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of check: what LibrA and keepalived are told, and how much of its CPU is allowed."""

    spec: Spec
    port: int
    peer: str
    share: float


KINDS = {
    "tcp": Kind(TcpSpec(), 80, "TCP_CHECK { connect_timeout 1 }", 0.5),
    "http": Kind(
        HttpSpec((Ask(Request("www.example.net")),)),
        81,
        "HTTP_GET { url { path / status_code 200 } connect_timeout 1 }",
        1.0,
    ),
    "icmp": Kind(IcmpSpec(), 0, "PING_CHECK { retry 1 }", 1.0),
}


def targets() -> list[str]:
    """List the addresses that are checked."""
    return [f"10.9.{number // 250}.{number % 250 + 1}" for number in range(TARGETS)]


def measure() -> Measured:
    """Check all targets by each in turn; microseconds of CPU per check."""
    taken: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in KINDS}
    with Topology() as topology:
        topology.network("wire")
        server = topology.node("server", {"eth0": ("wire", "10.1.0.9/24")})
        server.ip("route add local 10.9.0.0/16 dev lo")
        director = topology.node("director", {"eth0": ("wire", "10.1.0.2/24")})
        director.ip("route add 10.9.0.0/16 via 10.1.0.9")
        _answer(server, KINDS["tcp"].port, "")
        _answer(server, KINDS["http"].port, PAGE)
        for _ in range(repeats(ROUNDS)):
            for name, kind in KINDS.items():
                taken[name][0].append(director.call(partial(_libra, kind)))
                taken[name][1].append(director.call(partial(_peer, kind)))
    cases = {name: Measured(ours, {"keepalived": theirs}) for name, (ours, theirs) in taken.items()}
    return Measured.of(cases)


def _answer(server: Node, port: int, answer: str) -> None:
    process = server.popen([sys.executable, "-c", ANSWERS, str(port), answer], stdout=-1)
    if process.stdout is None or process.stdout.readline() != "ready\n":
        raise RuntimeError("the server of the targets did not start")


def _libra(kind: Kind) -> float:
    probes = [Probe(Target(each, kind.port), kind.spec, 1.0, 0.5) for each in targets()]
    found = cost(probes, float(TARGETS), SECONDS)
    if found.results.get("passed", 0) < found.checks:
        raise RuntimeError(f"not every check passed: {found}")
    return found.cpu_per_check


def _peer(kind: Kind) -> float:
    port = kind.port or 80
    servers = "".join(f"  real_server {each} {port} {{ {kind.peer} }}\n" for each in targets())
    config = (
        f"virtual_server 192.0.2.10 {port} {{\n  delay_loop 1\n  lb_algo wlc\n  lb_kind NAT\n"
        f"  protocol TCP\n{servers}}}\n"
    )
    with keepalived(config, "--check") as process:
        wait_for(lambda: bool(children(process.pid)), 0.1, "keepalived starts its checker")
        checker = children(process.pid)[0]
        time.sleep(4)  # the checks start spread over one delay_loop; let them run evenly
        before = cpu_seconds(checker)
        time.sleep(SECONDS)
        return 1e6 * (cpu_seconds(checker) - before) / (TARGETS * SECONDS)


def _within(kind: Kind) -> Callable[[Measured], bool]:
    def judge(measured: Measured) -> bool:
        theirs = statistics.median(measured.peers["keepalived"])
        return statistics.median(measured.libra) <= kind.share * theirs

    return judge


def _met(measured: Measured) -> bool:
    return all(_within(kind)(measured.cases[name]) for name, kind in KINDS.items())


TARGET = "tcp <= 0.5 x keepalived, http and icmp <= 1 x"
ROW = Row("probe-cpu", "us/check", TARGET, "lab", measure, _met)
