"""memory: what each service holds with 10,000 backends checked and in the table, keepalived beside.

`libra up` on a node of the lab: real nats-server, real probes (rare, the lab's core is slow), the
real table. Resident memory (VmRSS, proc(5)) once the table is full and has been still for a while.
"""

import json
import os
import sys
import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.keepalived import children, keepalived, wait_for
from bench.report import Measured, Row
from bench.rows.table_change import DOCUMENT
from bench.rows.table_cold import afresh, full, keepalived_config
from libra_lab.demo.chaos import running
from libra_lab.demo.director import Director
from libra_lab.node import Node
from libra_lab.topology import Topology

LIMIT, STILL, PATIENCE = 150.0, 20.0, 600.0
CHECK = {"tcp": {}, "every": "60s", "timeout": "20s", "rise": 1}
ACCEPTOR = """
import socket
listener = socket.create_server(("0.0.0.0", 80), backlog=16384)
print("ready", flush=True)
while True:
    listener.accept()[0].close()
"""


def measure() -> Measured:
    """Fill the table by checks and read what each process holds; MiB."""
    theirs = afresh(_peer, keepalived_config())
    with Topology() as topology, TemporaryDirectory(prefix="libra-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        topology.network("wire")
        _accept(topology.node("server", {"eth0": ("wire", "192.0.2.9/24")}))
        node = topology.node(
            "a", {"eth0": ("wire", "192.0.2.2/24")}, sysctls={"net.ipv4.ip_forward": 1}
        )
        node.ip("route add 10.0.0.0/8 via 192.0.2.9")
        ours = _libra(Director(node, folder / "a", _config(folder)))
    return Measured.of(
        {role: Measured([held], {"keepalived": [theirs]}) for role, held in ours.items()}
    )


def _accept(server: Node) -> None:
    server.ip("route add local 10.0.0.0/8 dev lo")
    process = server.popen([sys.executable, "-c", ACCEPTOR], stdout=-1)
    if process.stdout is None or process.stdout.readline() != "ready\n":
        raise RuntimeError("the server of the targets did not start")


def _config(folder: Path) -> Path:
    services = {name: {**service, "check": CHECK} for name, service in DOCUMENT["services"].items()}
    path = folder / "libra.yaml"
    path.write_text(json.dumps({**DOCUMENT, "services": services}))
    return path


def _libra(director: Director) -> dict[str, float]:
    director.start()
    director.wait_until(partial(director.node.call, full), "the table is full", PATIENCE)
    time.sleep(STILL)
    held: dict[str, float] = {}
    for process in running(director):
        held[process.role] = held.get(process.role, 0.0) + resident(process.pid)
    director.stop()
    return dict(sorted(held.items(), key=lambda each: -each[1]))


def _peer(config: str) -> float:
    with keepalived(config, "--check") as process:
        wait_for(full, 1.0, "keepalived fills the table", PATIENCE)
        time.sleep(STILL)
        return sum(resident(each) for each in (process.pid, *children(process.pid)))


def resident(pid: int) -> float:
    """Read the resident memory of a process (proc(5)), MiB."""
    pages = int(Path("/proc", str(pid), "statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def _met(measured: Measured) -> bool:
    return all(max(case.libra) <= LIMIT for case in measured.cases.values())


ROW = Row("memory", "MiB", f"every service <= {LIMIT:.0f} MiB", "lab", measure, _met)
