"""probe-cpu: CPU per TCP check at 1,000 checks a second, keepalived's checker beside it.

Both check the same 1,000 targets (addresses of one machine) once a second from one director.
"""

import statistics
import sys
import time

from bench.keepalived import children, cpu_seconds, keepalived, wait_for
from bench.report import Measured, Row
from libra_health.checks.tcp import TcpSpec
from libra_health.probes import Probe
from libra_health.shell.measure import cost
from libra_health.wire import Target
from libra_lab.node import Node
from libra_lab.topology import Topology

TARGETS, ROUNDS, SECONDS, PORT = 1000, 3, 10.0, 80
SHARE = 0.5
ACCEPTOR = f"""
import socket
listener = socket.create_server(("0.0.0.0", {PORT}), backlog=4096)
print("ready", flush=True)
while True:
    listener.accept()[0].close()
"""


def targets() -> list[str]:
    """List the addresses that are checked."""
    return [f"10.9.{number // 250}.{number % 250 + 1}" for number in range(TARGETS)]


def measure() -> Measured:
    """Check all targets by each in turn; microseconds of CPU per check."""
    libra, peer = [], []
    with Topology() as topology:
        topology.network("wire")
        server = topology.node("server", {"eth0": ("wire", "10.1.0.9/24")})
        server.ip("route add local 10.9.0.0/16 dev lo")
        director = topology.node("director", {"eth0": ("wire", "10.1.0.2/24")})
        director.ip("route add 10.9.0.0/16 via 10.1.0.9")
        _accept(server)
        for _ in range(ROUNDS):
            libra.append(director.call(_libra))
            peer.append(director.call(_peer))
    return Measured(libra, {"keepalived": peer})


def _accept(server: Node) -> None:
    process = server.popen([sys.executable, "-c", ACCEPTOR], stdout=-1)
    if process.stdout is None or process.stdout.readline() != "ready\n":
        raise RuntimeError("the server of the targets did not start")


def _libra() -> float:
    probes = [Probe(Target(each, PORT), TcpSpec(), 1.0, 0.5) for each in targets()]
    found = cost(probes, float(TARGETS), SECONDS)
    if found.results.get("passed", 0) < found.checks:
        raise RuntimeError(f"not every check passed: {found}")
    return found.cpu_per_check


def _peer() -> float:
    servers = "".join(
        f"  real_server {each} {PORT} {{ TCP_CHECK {{ connect_timeout 1 }} }}\n"
        for each in targets()
    )
    config = (
        f"virtual_server 192.0.2.10 {PORT} {{\n  delay_loop 1\n  lb_algo wlc\n  lb_kind NAT\n"
        f"  protocol TCP\n{servers}}}\n"
    )
    with keepalived(config, "--check") as process:
        wait_for(lambda: bool(children(process.pid)), 0.1, "keepalived starts its checker")
        checker = children(process.pid)[0]
        time.sleep(4)  # the checks start spread over one delay_loop; let them run evenly
        before = cpu_seconds(checker)
        time.sleep(SECONDS)
        return 1e6 * (cpu_seconds(checker) - before) / (TARGETS * SECONDS)


def _met(measured: Measured) -> bool:
    theirs = statistics.median(measured.peers["keepalived"])
    return statistics.median(measured.libra) <= SHARE * theirs


ROW = Row("probe-cpu", "us/check", "tcp <= 0.5 x keepalived", "lab", measure, _met)
