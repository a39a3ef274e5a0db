"""table-cold: 200 services x 50 backends from an empty table (design §12).

LibrA: plan + perform. Peers: ipvsadm-restore of the same table, and keepalived from its start to
the full table.
"""

import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from bench.keepalived import keepalived, wait_for
from bench.report import Measured, Row
from libra_ipvs_writer.plan import plan
from libra_ipvs_writer.shell.kernel import Kernel
from libra_lab.topology import Topology
from libra_schemas.table import Destination, Service, ServiceKey, ServiceTable

SERVICES, BACKENDS, ROUNDS = 200, 50, 5
LIMIT = 0.35
SLACK_KIB = 256
T = TypeVar("T")


def tables() -> dict[ServiceKey, ServiceTable]:
    """Make the table: every service has a port of its own, every backend an address."""
    made = {}
    for number in range(SERVICES):
        key = ServiceKey.of("tcp", "192.0.2.10", 1000 + number)
        servers = (
            Destination(f"10.{number}.0.{each + 1}", 80, "nat", 1) for each in range(BACKENDS)
        )
        made[key] = ServiceTable.of(Service(key, "wlc"), servers)
    return made


def measure() -> Measured:
    """Fill an empty table by each in turn, every time in a network namespace of its own."""
    wanted = tables()
    rules = "".join(_rules(each) for each in wanted.values())
    libra, restore, peer = [], [], []
    for _ in range(ROUNDS):
        libra.append(afresh(_libra, wanted))
        restore.append(afresh(_restore, rules))
        peer.append(afresh(_peer, keepalived_config()))
    return Measured(libra, {"keepalived": peer, "ipvsadm-restore": restore})


def afresh(fill: Callable[[T], float], what: T) -> float:
    """Call *fill* in a new namespace; wait until the kernel has freed all of it afterwards."""
    before = _percpu_kib()
    with Topology() as topology:
        took = topology.node("bench", {}).call(fill, what)
    wait_for(lambda: _percpu_kib() <= before + SLACK_KIB, 0.2, "the kernel frees the table")
    return took


def _percpu_kib() -> int:
    """Read how much per-CPU memory is in use: every entry's counters live there."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Percpu:"))


def _libra(wanted: dict[ServiceKey, ServiceTable]) -> float:
    with closing(Kernel()) as kernel:
        started = time.monotonic()
        results = kernel.perform(plan(wanted, {}))
        took = time.monotonic() - started
        if kernel.read() != wanted:
            raise RuntimeError(f"the table is not what was wanted: {results[:3]}")
    return took


def _restore(rules: str) -> float:
    started = time.monotonic()
    subprocess.run(["ipvsadm", "-R"], input=rules, text=True, check=True)
    took = time.monotonic() - started
    if not full():
        raise RuntimeError(f"ipvsadm -R did not fill the table: {_lines()} lines")
    return took


def _peer(config: str) -> float:
    started = time.monotonic()
    with keepalived(config, "--check"):
        wait_for(full, 0.05, "keepalived fills the table")
        return time.monotonic() - started


def full() -> bool:
    """Tell whether this namespace's table holds every entry."""
    return _lines() >= SERVICES * (BACKENDS + 1)


def _lines() -> int:
    """Count the lines of this namespace's table; reading it takes about 20 ms."""
    return Path("/proc/thread-self/net/ip_vs").read_bytes().count(b"\n")


def _rules(table: ServiceTable) -> str:
    service = f"-t {table.key.address}:{table.key.port}"
    servers = (f"-a {service} -r {each} -m -w 1\n" for each in table.destinations)
    return f"-A {service} -s wlc\n" + "".join(servers)


def keepalived_config(absent: int = 0) -> str:
    """Write the same table for keepalived; the first *absent* servers of the first are left out."""
    blocks = []
    for number, table in enumerate(tables().values()):
        servers = "".join(
            f"  real_server {each.address} {each.port} {{ weight 1 }}\n"
            for each in table.destinations[0 if number else absent :]
        )
        blocks.append(
            f"virtual_server {table.key.address} {table.key.port} {{\n"
            f"  lb_algo wlc\n  lb_kind NAT\n  protocol TCP\n{servers}}}\n"
        )
    return "".join(blocks)


def _met(measured: Measured) -> bool:
    ours, theirs = sorted(measured.libra), sorted(measured.peers["keepalived"])
    middle = ROUNDS // 2
    return ours[middle] <= LIMIT and ours[middle] <= theirs[middle]


ROW = Row("table-cold", "s", "<= 0.35 s and <= keepalived", "lab", measure, _met)
