"""The writer's kernel half against a real IPVS, with ipvsadm as the independent reader."""

import subprocess
from collections.abc import Iterator
from errno import EEXIST, ENOENT, EPERM
from itertools import pairwise

import pytest

from libra_ipvs_writer.daemons import Daemon, Timeouts
from libra_ipvs_writer.outcome import Result
from libra_ipvs_writer.plan import Plan, Step, plan
from libra_ipvs_writer.shell import wire
from libra_ipvs_writer.shell.kernel import Kernel
from libra_ipvs_writer.shell.lock import SecondWriter, only_writer
from libra_ipvs_writer.shell.sysctls import ensure, read, verify
from libra_ipvs_writer.shell.wire import KernelRefused, KernelUnavailable
from libra_lab.syscalls import CLONE_NEWNET, unshare
from libra_schemas.ipvsadm import render
from libra_schemas.operations import AddDestination, AddService, DeleteDestination
from libra_schemas.table import Destination, Service, ServiceKey, ServiceTable, Tunnel

pytestmark = pytest.mark.kernel

WEB = ServiceKey.of("tcp", "192.0.2.10", 80)
W1, W2 = Destination("10.0.1.11", 80, "dr"), Destination("10.0.1.12", 80, "dr")
FLAGS = ("flag-1", "flag-2", "flag-3")


def sh(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    """IPVS of a network namespace of the test's own."""
    unshare(CLONE_NEWNET)
    sh("ip", "link", "set", "lo", "up")
    opened = Kernel()
    yield opened
    opened.close()


def bring(kernel: Kernel, *tables: ServiceTable) -> list[Result]:
    desired = {each.key: each for each in tables}
    return kernel.perform(plan(desired, kernel.read()))


def agree(kernel: Kernel, *tables: ServiceTable) -> None:
    """Assert that the kernel, by our reading and by ipvsadm's, holds exactly *tables*."""
    held = {each.key: each for each in tables}
    assert kernel.read() == held
    assert render(held) == sh("ipvsadm", "-Sn")


def every_service() -> Iterator[Service]:
    """Services of every scheduler of the lab's kernel, with every attribute there is."""
    names = ["rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh"]
    for number, scheduler in enumerate(names):
        yield Service(ServiceKey.of("tcp", f"192.0.2.{number}", 80), scheduler)
        key = ServiceKey.of("udp", f"2001:db8::{number:x}", 5000 + number)
        yield Service(key, scheduler, FLAGS[: number % 4], one_packet=number % 2 == 0)
    yield Service(ServiceKey.of("tcp", "10.9.9.9", 0), "rr", persistence=360)
    yield Service(ServiceKey.of("sctp", "192.0.2.1", 9), "wlc", persistence=60, prefix=24)
    yield Service(ServiceKey.of("tcp", "::ffff:192.0.2.1", 9), "wlc", persistence=60, prefix=64)
    yield Service(ServiceKey.of("udp", "192.0.2.99", 5060), "rr", persistence=9, engine="sip")
    yield Service(ServiceKey.marked(7), "sh", ("flag-1", "flag-2"))
    yield Service(ServiceKey.marked(7, 6), "mh", ("flag-1", "flag-2"))
    yield Service(ServiceKey.marked(0x4C000001), "wrr", persistence=300, prefix=8)
    yield Service(ServiceKey.marked(0xFFFFFFFE), "wrr")


def destinations_for(key: ServiceKey) -> list[Destination]:
    """Destinations of every forwarding method, tunnel type and attribute that fit *key*."""
    net = "2001:db8:1::" if key.family == 6 else "10.0.1."
    port = key.port
    other = "10.7.7.7" if key.family == 6 else "2001:db8:7::7"
    return [
        Destination(f"{net}1", port, "dr", 3),
        Destination(f"{net}2", port, "nat", 0, upper=100, lower=50),
        Destination(f"{net}3", port, "tun", 65535, tunnel=Tunnel()),
        Destination(f"{net}4", port, "tun", tunnel=Tunnel("gue", 6080, "none")),
        Destination(f"{net}5", port, "tun", tunnel=Tunnel("gue", 6081, "csum")),
        Destination(f"{net}6", port, "tun", tunnel=Tunnel("gue", 6082, "remcsum")),
        Destination(f"{net}7", port, "tun", tunnel=Tunnel("gre", 0, "none")),
        Destination(f"{net}8", port, "tun", tunnel=Tunnel("gre", 0, "csum")),
        Destination(other, port, "tun", 2, tunnel=Tunnel()),
    ]


def test_every_kind_of_service_and_destination_is_held_as_written(kernel: Kernel) -> None:
    tables = [ServiceTable.of(each, destinations_for(each.key)) for each in every_service()]
    assert {each.status for each in bring(kernel, *tables)} == {"done"}
    agree(kernel, *tables)


def test_what_ipvsadm_writes_is_read_back(kernel: Kernel) -> None:
    sh("ipvsadm", "-A", "-t", "192.0.2.10:80", "-s", "sh", "-b", "sh-port", "-p", "90")
    sh("ipvsadm", "-a", "-t", "192.0.2.10:80", "-r", "10.0.1.11:8080", "-m", "-w", "7", "-x", "9")
    service = Service(WEB, "sh", ("flag-2",), persistence=90)
    agree(kernel, ServiceTable.of(service, [Destination("10.0.1.11", 8080, "nat", 7, upper=9)]))


def test_an_agreeing_kernel_needs_no_plan(kernel: Kernel) -> None:
    table = ServiceTable.of(Service(WEB, "mh", persistence=30), destinations_for(WEB))
    bring(kernel, table)
    assert not plan({WEB: table}, kernel.read())


def test_every_attribute_of_a_service_changes_in_place(kernel: Kernel) -> None:
    changes = [
        Service(WEB, "rr"),
        Service(WEB, "sh", ("flag-1",)),
        Service(WEB, "sh", ("flag-2",), persistence=300, prefix=24),
        Service(WEB, "sh", persistence=60),
        Service(WEB, "mh"),
    ]
    for service in changes:
        bring(kernel, ServiceTable.of(service, [W1]))
        agree(kernel, ServiceTable.of(service, [W1]))


def test_a_forwarding_method_and_its_tunnel_change_in_place(kernel: Kernel) -> None:
    service = Service(WEB, "rr")
    for destination in destinations_for(WEB)[:8]:
        changed = Destination("10.0.1.11", 80, destination.forward, 3, tunnel=destination.tunnel)
        results = bring(kernel, ServiceTable.of(service, [changed]))
        assert {each.status for each in results} == {"done"}
        agree(kernel, ServiceTable.of(service, [changed]))


def test_a_refused_scheduler_cancels_the_destinations_and_hurts_nobody_else(
    kernel: Kernel,
) -> None:
    good = ServiceTable.of(Service(WEB, "rr"), [W1])
    bad_key = ServiceKey.of("tcp", "192.0.2.11", 80)
    results = bring(kernel, good, ServiceTable.of(Service(bad_key, "nosuch"), [W1, W2]))
    refused = [each for each in results if each.status == "refused"]
    assert [(each.operation.op, each.errno) for each in refused] == [("add_service", ENOENT)]
    assert sum(each.status == "cancelled" for each in results) == 2
    agree(kernel, good)


def test_a_failed_addition_leaves_the_last_backend_in(kernel: Kernel) -> None:
    held = ServiceTable.of(Service(WEB, "rr"), [W1])
    bring(kernel, held)
    twice = AddDestination(WEB, W1)
    delete = DeleteDestination(WEB, "10.0.1.11", 80)
    results = kernel.perform(Plan((Step(twice),), (Step(delete, (twice,)),)))
    assert results == [Result(twice, "refused", EEXIST), Result(delete, "cancelled")]
    agree(kernel, held)


def test_ten_thousand_entries_are_written_read_and_removed(kernel: Kernel) -> None:
    services = [ServiceKey.of("tcp", f"192.0.2.{n}", 1000 + n) for n in range(200)]
    tables = [
        ServiceTable.of(
            Service(key, "wrr"),
            [Destination(f"10.{n}.0.{m}", 80, "nat", m) for m in range(1, 51)],
        )
        for n, key in enumerate(services)
    ]
    assert {each.status for each in bring(kernel, *tables)} == {"done"}
    agree(kernel, *tables)
    assert {each.status for each in bring(kernel)} == {"done"}
    agree(kernel)


def test_lost_acks_make_the_rest_unknown_and_a_new_plan_mends_it(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "BATCH_MESSAGES", 2000)
    monkeypatch.setattr(wire, "ANSWER_TIMEOUT", 0.2)
    monkeypatch.setattr(wire, "BATCH_BYTES", 1 << 20)
    monkeypatch.setattr(wire, "RECEIVE_BUFFER", 4096)
    small = Kernel()
    table = ServiceTable.of(
        Service(WEB, "rr"), [Destination(f"10.0.{n // 250}.{n % 250}", 80) for n in range(1000)]
    )
    results = small.perform(plan({WEB: table}, {}))
    assert "unknown" in {each.status for each in results}
    again = small.perform(plan({WEB: table}, kernel.read()))
    assert "refused" not in {each.status for each in again}
    small.close()
    bring(kernel, table)
    agree(kernel, table)


def test_counters_are_read_for_every_destination(kernel: Kernel) -> None:
    bring(kernel, ServiceTable.of(Service(WEB, "rr"), [W1, W2]))
    load = kernel.loads()[WEB]
    assert load.counters.connections == 0
    assert set(load.destinations) == {W1.key, W2.key}
    assert load.destinations[W1.key].active == 0


def test_sync_daemons_run_with_every_attribute_and_stop(kernel: Kernel) -> None:
    sh("ip", "link", "add", "sync0", "type", "dummy")
    sh("ip", "addr", "add", "198.51.100.1/24", "dev", "sync0")
    sh("ip", "link", "set", "sync0", "up")
    sh("ip", "route", "add", "224.0.0.0/4", "dev", "sync0")
    both = [
        Daemon("master", "sync0", 7, 1400, "224.0.0.82", 8849, 3),
        Daemon("backup", "sync0", 7, 1400, "224.0.0.82", 8849, 3),
    ]
    for daemon in both:
        kernel.start_daemon(daemon)
    assert kernel.daemons() == both
    assert "master sync daemon (mcast=sync0, syncid=7" in sh("ipvsadm", "-L", "--daemon")
    with pytest.raises(KernelRefused, match="start the master daemon on sync0: EEXIST"):
        kernel.start_daemon(both[0])
    for daemon in both:
        kernel.stop_daemon(daemon.role)
    assert kernel.daemons() == []
    with pytest.raises(KernelRefused, match="stop the backup daemon: ESRCH"):
        kernel.stop_daemon("backup")


def test_timeouts_are_set_and_read(kernel: Kernel) -> None:
    kernel.set_timeouts(Timeouts(901, 121, 301))
    assert kernel.timeouts() == Timeouts(901, 121, 301)
    assert "901 121 301" in sh("ipvsadm", "-L", "--timeout")


def test_sysctls_are_set_and_what_cannot_be_is_named(kernel: Kernel) -> None:
    wanted = {"net.ipv4.vs.sync_threshold": "2 0", "net.ipv4.vs.sloppy_tcp": "1"}
    assert kernel.read() == {}
    assert ensure(wanted) == []
    assert read("net.ipv4.vs.sync_threshold") == "2 0"
    (wrong,) = verify({"net.ipv4.vs.sloppy_tcp": "0"})
    assert str(wrong).endswith("run `sysctl -w net.ipv4.vs.sloppy_tcp='0'` on the host.")
    (missing,) = ensure({"net.ipv4.vs.no_such": "1"})
    assert "This kernel has no net.ipv4.vs.no_such" in str(missing)


async def test_a_second_writer_is_refused_in_one_network_namespace_and_not_in_another(
    kernel: Kernel,
) -> None:
    assert kernel.read() == {}
    async with only_writer():
        with pytest.raises(SecondWriter, match="Another ipvs-writer already writes"):
            async with only_writer():
                pass
        unshare(CLONE_NEWNET)
        async with only_writer():
            pass


def test_missing_privilege_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Kernel()
    monkeypatch.setattr(opened._wire, "send_all", lambda payloads: [EPERM] * len(payloads))
    with pytest.raises(KernelUnavailable, match="needs CAP_NET_ADMIN: run as root"):
        opened.perform(Plan((Step(AddService(Service(WEB))),)))
    opened.close()


def test_a_kernel_without_the_family_is_said_in_one_sentence() -> None:
    with pytest.raises(KernelUnavailable, match="has no NOSUCH: load it with `modprobe ip_vs`"):
        wire.Wire("NOSUCH")


def test_the_rendered_order_is_the_one_ipvsadm_prints(kernel: Kernel) -> None:
    keys = [ServiceKey.of("tcp", f"{a}.0.0.{b}", 80) for a in (1, 127, 128, 10) for b in (9, 10)]
    near = [Destination(f"{a}.0.0.1", 80) for a in (126, 10, 127, 2)]
    tables = [ServiceTable.of(Service(key, "rr"), near) for key in keys]
    for some in pairwise(tables):
        bring(kernel, *some)
        agree(kernel, *some)
