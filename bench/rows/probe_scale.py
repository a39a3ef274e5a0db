"""probe-scale: 10,000 backends probed every second on one core; how late a probe begins at worst.

keepalived's checker needs a kernel with IPVS, and the lab's one slow core carries neither of the
two at this rate: there is no peer in this row (probe-cpu has both at 1,000 checks a second).
"""

import os
import resource
import sys

from bench.report import Measured, Row, repeats
from libra_health.checks import TcpSpec
from libra_health.probes import Probe
from libra_health.shell.measure import cost
from libra_health.wire import Target
from libra_lab.topology import Topology

TARGETS, ROUNDS, SECONDS, PORT = 10_000, 3, 10.0, 80
LATE = 100.0
ACCEPTOR = f"""
import os, socket, sys
os.sched_setaffinity(0, {{int(sys.argv[1])}})
listener = socket.create_server(("0.0.0.0", {PORT}), backlog=16384)
print("ready", flush=True)
while True:
    listener.accept()[0].close()
"""


def measure() -> Measured:
    """Probe all targets from one core; milliseconds that a probe began late at worst."""
    ours, *others = sorted(os.sched_getaffinity(0))
    with Topology() as topology:
        server = topology.node("server", {})
        server.ip("link set lo up", "route add local 10.9.0.0/16 dev lo")
        acceptor = server.popen([sys.executable, "-c", ACCEPTOR, str(max(others))], stdout=-1)
        if acceptor.stdout is None or acceptor.stdout.readline() != "ready\n":
            raise RuntimeError("the server of the targets did not start")
        found = [server.call(lambda: _run(ours)) for _ in range(repeats(ROUNDS))]
    return Measured(
        [late for late, _, _ in found],
        more={
            "us of CPU per check": max(cpu for _, cpu, _ in found),
            "runs skipped": sum(skipped for _, _, skipped in found),
        },
    )


def _run(core: int) -> tuple[float, float, int]:
    """Return the worst lateness (ms), CPU per check (us) and how many runs were left out."""
    os.sched_setaffinity(0, {core})
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    places = (f"10.9.{number // 250}.{number % 250 + 1}" for number in range(TARGETS))
    probes = [Probe(Target(each, PORT), TcpSpec(), 1.0, 0.5) for each in places]
    taken = cost(probes, float(TARGETS), SECONDS)
    if taken.results.get("passed", 0) < taken.checks:
        raise RuntimeError(f"not every check passed: {taken}")
    return 1000 * taken.worst_lag, taken.cpu_per_check, taken.skipped


def _met(measured: Measured) -> bool:
    return max(measured.libra) <= LATE and not measured.more["runs skipped"]


ROW = Row(
    "probe-scale",
    "ms",
    f"no probe of {TARGETS:,} begins over {LATE:.0f} ms late",
    "namespaces",
    measure,
    _met,
)
