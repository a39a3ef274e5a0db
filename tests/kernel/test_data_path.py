"""Checks through IPVS on a master and a backup: they see what clients see, and nobody else does.

Two directors with nats-server, ipvs-writer and health each, two real servers that answer on their
own addresses whether or not they hold the virtual one, by direct routing and by a tunnel.
"""

import asyncio
import contextlib
import os
import signal
import socket
import struct
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from tests.kernel.conftest import until
from tests.kernel.test_health_probes import run_once
from tests.kernel.test_replay import site

from libra_cli.replay import Query, formatted, replay
from libra_cli.site import Site
from libra_health.checks import TcpSpec
from libra_health.outcome import Errored, Failed, Outcome, Passed, Reason
from libra_health.probes import Probe
from libra_health.wire import Origin, Target
from libra_ipvs_writer.shell.data_paths import WHY, troubles
from libra_lab.client import fetch
from libra_lab.demo.director import Director as Whole
from libra_lab.node import Node
from libra_lab.serving import ready, start
from libra_lab.topology import Topology
from libra_lab.wiring import director, dr_server, tunnel_server
from libra_runtime.nats_journal import open_journal, open_reader
from libra_runtime.stamp import draft
from libra_runtime.testing import TestServer, start_nats
from libra_schemas.canonical import digest
from libra_schemas.config import Config
from libra_schemas.events import BackendState, ConfigApplied
from libra_schemas.intent.prepared import prepare
from libra_schemas.marks import marks_of

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(300)]

VIP, VIP6 = "192.0.2.10", "2001:db8::10"
OWN = {"a": "192.0.2.1", "b": "192.0.2.2"}
PATIENCE = 90.0
EVERY = 0.4
METRICS = 9643

T = TypeVar("T")


def document(number: int = 1, *, data_path: bool = True) -> dict[str, Any]:
    """Give a config with each server twice: seen as clients do (port 80), and by itself (81)."""
    times = {"every": EVERY, "timeout": EVERY, "rise": 2, "fall": 2}
    seen: dict[str, Any] = {"http": {}, **times} | ({"data_path": True} if data_path else {})

    def service(port: int, check: dict[str, Any]) -> dict[str, Any]:
        tunnelled = {"address": f"192.0.2.12:{port}", "forward": "tun"}
        backends = {"direct": f"192.0.2.11:{port}", "tunnel": tunnelled}
        shape = {"scheduler": "rr", "forward": "dr", "check": check, "backends": backends}
        return {"address": f"{VIP}:{port}", **shape}

    return {
        "version": 1,
        "nodes": {name: {"address": address} for name, address in OWN.items()},
        "services": {"seen": service(80, seen), "plain": service(81, {"http": {}, **times})},
        "sync": {"port": 8848 + number},  # makes one config differ from the next
    }


@dataclass
class Director:
    """A node with its own log, writer and health."""

    node: Node
    nats: TestServer
    site: Site
    number: int = 0
    processes: list[Any] = field(default_factory=list)

    def inside(self, act: Coroutine[Any, Any, T]) -> T:
        """Await something in the node's network."""
        return self.node.call(asyncio.run, act)

    def apply(self, shape: dict[str, Any]) -> None:
        self.number += 1
        data = ConfigApplied(number=self.number, hash=digest(shape), document=shape, author="test")

        async def append() -> None:
            console = await open_journal(self.nats.edge("console"))
            await console.append(draft("config.applied", ("cluster",), data))
            await console.close()

        self.inside(append())

    def start(self) -> None:
        for service, module in (("ipvs-writer", "libra_ipvs_writer"), ("health", "libra_health")):
            port = METRICS if service == "ipvs-writer" else 0
            edge = replace(self.nats.edge(service), metrics_port=port)
            environment = os.environ | edge.environment()
            argv = [sys.executable, "-m", module]
            self.processes.append(self.node.popen(argv, environment=environment))

    def verdicts(self) -> list[BackendState]:
        """List what health has said so far, oldest first."""

        async def read() -> list[BackendState]:
            reader = await open_reader(self.nats.edge("console"))
            try:
                found = [each.event.data async for each in reader.read("backend")]
            finally:
                await reader.close()
            return [each for each in found if isinstance(each, BackendState)]

        return self.inside(read())

    def states(self) -> dict[str, bool]:
        return {f"{each.service}/{each.backend}": each.up for each in self.verdicts()}

    def rules(self) -> list[str]:
        return self.node.ipvsadm("-Sn").splitlines(keepends=True)

    def replayed(self, *, paths: bool) -> str:
        """Give what `libra replay` prints."""
        past = self.inside(replay(self.site, Query(paths=paths)))
        return formatted(past, "ipvsadm")

    def settle(self, holds: Callable[["Director"], bool], what: str) -> None:
        until(lambda: holds(self), PATIENCE, what)

    def get(self, path: str) -> str:
        return fetch(self.node, f"http://127.0.0.1:{METRICS}{path}").text


@dataclass
class Farm:
    """Directors a (which has the virtual address) and b, the servers, and a client."""

    directors: dict[str, Director]
    direct: Node
    tunnel: Node
    client: Node

    def soon(self, wanted: dict[str, bool], what: str) -> None:
        """Wait until both directors say exactly this."""
        try:
            until(lambda: all(d.states() == wanted for d in self.directors.values()), PATIENCE, "")
        except pytest.fail.Exception:
            told = {name: one.states() for name, one in self.directors.items()}
            pytest.fail(f"{what}: {told}")

    def answers(self, port: int) -> set[str]:
        """Ask four times as a client; "" is no answer."""
        return {self._ask(port) for _ in range(4)}

    def _ask(self, port: int) -> str:
        try:
            return fetch(self.client, f"http://{VIP}:{port}/", timeout=0.7).text
        except OSError:
            return ""


@contextlib.contextmanager
def servers(topology: Topology, net: str) -> Iterator[tuple[Node, Node]]:
    direct = dr_server(topology, "direct", net, "192.0.2.11/24", [])
    tunnel = tunnel_server(topology, "tunnel", net, "192.0.2.12/24", [])
    nodes = (direct, tunnel)
    ready(*(start(node, "http", node.name, port) for node in nodes for port in (80, 81)))
    yield direct, tunnel


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[Farm]:
    with Topology() as topology:
        net = topology.network("net")
        made: dict[str, Director] = {}
        for name, own in OWN.items():
            node = director(topology, name, {"eth0": (net, f"{own}/24")})
            node.sysctl({"net.ipv4.conf.eth0.accept_local": 1})
            nats = node.call(start_nats, tmp_path / name, name)
            (nats.directory / "state").mkdir()
            made[name] = Director(node, nats, site(nats))
            made[name].inside(nats.make_streams())
        made["a"].node.ip(f"addr add {VIP}/32 dev eth0")
        client = topology.node("client", {"eth0": (net, "192.0.2.100/24")})
        with servers(topology, net) as (direct, tunnel):
            yield Farm(made, direct, tunnel, client)
        for one in made.values():
            one.node.signal(signal.SIGTERM, [process.pid for process in one.processes])
            for process in one.processes:
                process.wait(PATIENCE)
            one.nats.stop()


def test_a_server_without_the_virtual_address_is_down_to_checks_as_to_clients(farm: Farm) -> None:
    for one in farm.directors.values():
        one.apply(document())
        one.start()
    plain = {"plain/direct": True, "plain/tunnel": True}
    farm.soon(plain | {"seen/direct": False, "seen/tunnel": False}, "none has the address")
    assert farm.answers(81) == {""}, "clients get nothing, whatever a plain check says"
    assert farm.answers(80) == {""}

    farm.direct.ip(f"addr add {VIP}/32 dev lo")
    farm.soon(plain | {"seen/direct": True, "seen/tunnel": False}, "one has it")
    assert farm.answers(80) == {"direct"}
    assert farm.answers(81) == {"direct", ""}

    farm.tunnel.ip(f"addr add {VIP}/32 dev ipvs")
    farm.soon(plain | {"seen/direct": True, "seen/tunnel": True}, "both have it")
    assert farm.answers(80) == {"direct", "tunnel"}
    require_evidence(farm)
    require_hidden(farm)

    farm.direct.ip(f"addr del {VIP}/32 dev lo")
    farm.soon(plain | {"seen/direct": False, "seen/tunnel": True}, "the first lost it")
    assert farm.answers(80) == {"tunnel"}

    require_steady_over_a_failover(farm)
    for one in farm.directors.values():
        one.apply(document(2, data_path=False))
    farm.soon(plain | {"seen/direct": True, "seen/tunnel": True}, "a plain check says up")
    for one in farm.directors.values():
        one.settle(lambda held: not private(held.rules()), "its private services go")


def private(rules: list[str]) -> list[str]:
    return [line for line in rules if line.split()[1] == "-f"]


def require_evidence(farm: Farm) -> None:
    for one in farm.directors.values():
        said = {f"{each.service}/{each.backend}": each for each in one.verdicts()}
        probes = {name: [probe.probe for probe in each.evidence] for name, each in said.items()}
        assert probes["seen/direct"] == [f"http {VIP}:80/ through dr to 192.0.2.11"]
        assert probes["seen/tunnel"] == [f"http {VIP}:80/ through tun to 192.0.2.12"]
        assert probes["plain/direct"] == ["http 192.0.2.11:81/"]


def require_hidden(farm: Farm) -> None:
    """See the private services in both kernels, and in what was asked for them alone."""
    for one in farm.directors.values():
        rules = one.rules()
        hidden = private(rules)
        assert hidden == expected()
        one.settle(lambda held: held.replayed(paths=True) == "".join(held.rules()), "all is told")
        assert one.replayed(paths=False) == "".join(each for each in rules if each not in hidden)
        shown = one.get("/metrics")
        assert "tcp 192.0.2.10:80" in shown
        assert "fwmark" not in shown
        assert one.get("/healthz").strip() == "healthy", one.get("/healthz")


def expected() -> list[str]:
    """Give what ipvsadm prints of the private services."""
    marks = marks_of(Config.model_validate(document()))
    lines: list[str] = []
    for (_, backend), mark in sorted(marks.items(), key=lambda item: item[1]):
        real = "192.0.2.11:0 -g -w 1" if backend == "direct" else "192.0.2.12:0 -i -w 1"
        more = "" if backend == "direct" else " --tun-type ipip"
        lines += [f"-A -f {mark} -s rr\n", f"-a -f {mark} -r {real}{more}\n"]
    return lines


def require_steady_over_a_failover(farm: Farm) -> None:
    """Where the virtual address goes over, no verdict changes."""
    a, b = farm.directors["a"], farm.directors["b"]
    before = {name: len(one.verdicts()) for name, one in farm.directors.items()}
    a.node.ip(f"addr del {VIP}/32 dev eth0")
    b.node.ip(f"addr add {VIP}/32 dev eth0")
    b.node.run("arping", "-U", "-c", "2", "-I", "eth0", VIP, check=False)
    farm.client.ip(f"neigh flush to {VIP}")
    until(lambda: farm.answers(80) == {"tunnel"}, PATIENCE, "the other director serves")
    held = asyncio.run(asyncio.sleep(5 * EVERY, "several probes later"))
    after = {name: len(one.verdicts()) for name, one in farm.directors.items()}
    assert after == before, held


# What the kernel does, by itself: one marked probe, one private service made by hand.

MARK = 0x4C000001
CAP_NET_RAW = 13
"""linux/capability.h."""


@dataclass
class Bench:
    """One director with the virtual address on eth0, and a server on eth0 and on eth1."""

    director: Node
    server: Node

    def probe(self, own: str, real: str, forward: str = "-g", vip: str = VIP) -> Outcome:
        """Send one probe through a private service to *real*."""
        six = ["-6"] if ":" in real else []
        self.director.ipvsadm("-A", "-f", str(MARK), *six, "-s", "rr")
        host = f"[{real}]:80" if six else real
        self.director.ipvsadm("-a", "-f", str(MARK), *six, "-r", host, forward)
        try:
            target = Target(vip, 80, Origin(own, "", MARK))
            return self.director.call(run_once, Probe(target, TcpSpec(), 3600.0, 1.0))
        finally:
            self.director.ipvsadm("-D", "-f", str(MARK), *six)

    def settings(self, **values: int) -> None:
        named = {
            f"net.ipv4.conf.{each.replace('__', '.')}": value for each, value in values.items()
        }
        self.director.sysctl(named)


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with Topology() as topology:
        front, back = topology.network("front"), topology.network("back")
        ways = {
            "eth0": (front, ("192.0.2.1/24", "2001:db8::1/64", f"{VIP}/32", f"{VIP6}/128")),
            "eth1": (back, ("10.3.0.1/24",)),
        }
        one = director(topology, "d", ways)
        server = dr_server(topology, "s", front, "192.0.2.11/24", [VIP])
        topology.plug(server, "eth1", back, "10.3.0.11/24")
        server.ip("addr add 2001:db8::11/64 dev eth0", f"addr add {VIP6}/128 dev lo")
        ready(start(server, "http", "s", 80), start(server, "http", "s6", 80, "::"))
        ready(start(server, "udp", "u", 53))
        yield Bench(one, server)


def failed(outcome: Outcome) -> Reason | None:
    return outcome.reason if isinstance(outcome, Failed) else None


def test_a_master_hears_no_answer_from_its_own_address_without_accept_local(bench: Bench) -> None:
    bench.settings(eth0__accept_local=0)
    assert failed(bench.probe("192.0.2.1", "192.0.2.11")) is Reason.TIMEOUT
    bench.settings(eth0__accept_local=1)
    assert isinstance(bench.probe("192.0.2.1", "192.0.2.11"), Passed)
    bench.settings(eth0__accept_local=0, all__accept_local=1)
    assert isinstance(bench.probe("192.0.2.1", "192.0.2.11"), Passed)
    bench.settings(all__accept_local=0)


def test_a_strict_filter_drops_answers_where_the_address_is_elsewhere(bench: Bench) -> None:
    bench.settings(eth1__accept_local=1, eth1__rp_filter=1)
    assert failed(bench.probe("10.3.0.1", "10.3.0.11")) is Reason.TIMEOUT
    bench.settings(eth1__rp_filter=2)
    assert isinstance(bench.probe("10.3.0.1", "10.3.0.11"), Passed)
    bench.settings(eth0__accept_local=1, eth0__rp_filter=1)
    assert isinstance(bench.probe("192.0.2.1", "192.0.2.11"), Passed), "it is on eth0"
    bench.settings(eth0__accept_local=0, eth0__rp_filter=0, eth1__accept_local=0, eth1__rp_filter=0)


def test_ipv6_needs_no_setting(bench: Bench) -> None:
    assert isinstance(bench.probe("2001:db8::1", "2001:db8::11", vip=VIP6), Passed)
    bench.server.ip(f"addr del {VIP6}/128 dev lo")
    assert isinstance(bench.probe("2001:db8::1", "2001:db8::11", vip=VIP6), Failed)


def connects(mark: int, port: int) -> bool:
    """Say whether a connection from this port with this mark comes about within a second."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, mark)
        sock.settimeout(1)
        sock.bind(("192.0.2.1", port))
        with contextlib.suppress(OSError):
            sock.connect((VIP, 80))
            return True
        return False


def test_a_port_that_was_not_answered_leads_to_the_same_backend_for_a_minute(
    bench: Bench,
) -> None:
    """See why probes take ports in order, and not at random."""
    bench.settings(eth0__accept_local=1)
    for mark, real in ((MARK, "192.0.2.11"), (MARK + 1, "192.0.2.77")):
        bench.director.ipvsadm("-A", "-f", str(mark), "-s", "rr")
        bench.director.ipvsadm("-a", "-f", str(mark), "-r", real, "-g")
    asked = [(MARK, 40000), (MARK, 40000), (MARK + 1, 40001), (MARK, 40001), (MARK, 40002)]
    found = [bench.director.call(connects, *each) for each in asked]
    assert found == [True, True, False, False, True]
    for mark in (MARK, MARK + 1):
        bench.director.ipvsadm("-D", "-f", str(mark))
    bench.settings(eth0__accept_local=0)


def asks(mark: int) -> str:
    """Give the answer to one datagram with this mark."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, mark)
        sock.settimeout(5)
        sock.bind(("192.0.2.1", 0))
        sock.connect((VIP, 53))
        sock.send(b"?")
        return sock.recv(100).decode()


def test_datagrams_scheduled_one_by_one_leave_no_connection(bench: Bench) -> None:
    bench.settings(eth0__accept_local=1)
    bench.director.ipvsadm("-A", "-f", str(MARK), "-s", "rr", "-o")
    bench.director.ipvsadm("-a", "-f", str(MARK), "-r", "192.0.2.11", "-g")
    assert bench.director.call(asks, MARK) == "u ?"
    assert "UDP" not in bench.director.ipvsadm("-Lnc")
    bench.director.ipvsadm("-D", "-f", str(MARK))
    bench.settings(eth0__accept_local=0)


def test_nat_shows_nothing_of_the_way_back(bench: Bench) -> None:
    """The server has no route to clients through the director, and the probe passes."""
    assert isinstance(bench.probe("192.0.2.1", "192.0.2.11", "-m"), Passed)


def test_a_mark_takes_a_privilege_and_is_no_fault_of_the_backend(bench: Bench) -> None:
    program = (
        "from tests.kernel.test_data_path import *\n"
        "target = Target(VIP, 80, Origin('192.0.2.1', '', MARK))\n"
        "print(run_once(Probe(target, TcpSpec(), 3600.0, 1.0)))\n"
    )
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    said = bench.director.run(*nobody, sys.executable, "-c", program).stdout.strip()
    assert said == str(Errored(Reason.PERMISSION, "EPERM"))
    raw = ("--bounding-set=-all,+net_raw", "--inh-caps=+net_raw", "--ambient-caps=+net_raw")
    said = bench.director.run(*nobody, *raw, sys.executable, "-c", program).stdout.strip()
    assert "ECONNREFUSED" in said, "nothing listens here, and no private service is there"


def test_the_writer_names_the_sysctls_that_keep_answers_out(bench: Bench) -> None:
    backends = {"front": "192.0.2.11:80", "back": "10.3.0.11:80"}
    check = {"tcp": {}, "data_path": True}
    config = Config.model_validate(
        {
            "version": 1,
            "nodes": {"d": {"address": "192.0.2.1"}},
            "instances": {
                "front": {"interface": "eth0", "vrid": 1, "priority": 100, "addresses": [VIP]}
            },
            "services": {
                "web": {
                    "address": f"{VIP}:80", "forward": "dr", "check": check, "backends": backends,
                }
            },
        }
    )  # fmt: skip
    prepared = prepare(config, "d")

    def line(name: str, wanted: int, found: int) -> str:
        named = f"net.ipv4.conf.{name}"
        return f"{named} is '{found}': run `sysctl -w {named}='{wanted}'` on the host. {WHY}"

    bench.settings(eth1__rp_filter=1)
    assert bench.director.call(troubles, prepared) == [
        line("eth0.accept_local", 1, 0),
        line("eth1.accept_local", 1, 0),
        line("eth1.rp_filter", 2, 1),
    ]
    bench.settings(all__accept_local=1, eth1__rp_filter=2)
    assert bench.director.call(troubles, prepared) == []
    bench.settings(all__accept_local=0, eth1__rp_filter=0)


@pytest.fixture
def open_path() -> Iterator[Path]:
    """Give a directory whose way in is open to every user, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


def test_libra_up_lets_health_mark_packets_and_no_more(open_path: Path) -> None:
    config = open_path / "libra.yaml"
    config.write_text(
        "version: 1\n"
        "nodes: {d: {address: 192.0.2.1}}\n"
        "services:\n"
        f"  web: {{address: '{VIP}:80', forward: dr, check: {{tcp: {{}}, data_path: true}},\n"
        "        backends: {w1: '192.0.2.11:80'}}\n"
    )
    with Topology() as topology:
        net = topology.network("net")
        node = director(topology, "d", {"eth0": (net, ("192.0.2.1/24", f"{VIP}/32"))})
        node.sysctl({"net.ipv4.conf.eth0.accept_local": 1})
        server = dr_server(topology, "s", net, "192.0.2.11/24", [VIP])
        ready(start(server, "http", "s", 80))
        whole = Whole(node, open_path / "d", config)
        whole.start()
        try:
            held = f"-a -t {VIP}:80 -r 192.0.2.11:80 -g -w 1"
            try:
                whole.wait_until(lambda: held in node.ipvsadm("-Sn"), "the backend is in the table")
            except TimeoutError:
                pytest.fail(whole.output.read_text()[-4000:] + node.ipvsadm("-Lnc"))
            assert require_rights(node) == 1 << CAP_NET_RAW
        finally:
            whole.stop()


def require_rights(node: Node) -> int:
    """Give the effective capabilities of health, which runs as another user than root."""
    for folder in (Path(f"/proc/{process}") for process in node.processes()):
        if b"libra-health" in (folder / "cmdline").read_bytes():
            lines = (folder / "status").read_text().splitlines()
            status = dict(line.split(":", 1) for line in lines)
            assert status["Uid"].split()[0] != "0"
            return int(status["CapEff"], 16)
    pytest.fail("health does not run")
