"""The writer on a real kernel: the table follows the log, and ipvsadm agrees with its replay."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from errno import ENOMEM
from pathlib import Path
from typing import Any

import pytest

from libra_ipvs_writer.settings import Settings
from libra_ipvs_writer.shell.kernel import Kernel
from libra_ipvs_writer.shell.wire import Wire
from libra_ipvs_writer.shell.writer import Writer
from libra_lab.inside import enter
from libra_lab.syscalls import CLONE_NEWNET, unshare
from libra_runtime.settings import Edge
from libra_runtime.stamp import draft
from libra_runtime.testing import MemoryJournal, MemoryLog
from libra_schemas.canonical import digest
from libra_schemas.config import Config
from libra_schemas.events import (
    AdminState,
    BackendState,
    ConfigApplied,
    InstanceState,
    ServiceState,
    SyncState,
    TableChange,
    TableDrift,
    TableRecord,
    TableRefusal,
)
from libra_schemas.ipvsadm import render
from libra_schemas.operations import apply_operations, from_json
from libra_schemas.table import ServiceKey, ServiceTable, key_from_json, table_from_json
from libra_schemas.target import target_of

pytestmark = pytest.mark.kernel

PATIENCE = 60.0
WEB: dict[str, Any] = {
    "address": "192.0.2.10:80",
    "scheduler": "wrr",
    "forward": "dr",
    "sorry": "10.0.1.99:80",
    "backends": {"w1": {"address": "10.0.1.11:80", "weight": 3}, "w2": "10.0.1.12:80"},
}
W1, W2, SORRY = ("10.0.1.11:80 -g -w 3", "10.0.1.12:80 -g -w 1", "10.0.1.99:80 -g -w 1")


def sh(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Site:
    """A node: its log in memory, its kernel, and who speaks to the writer."""

    def __init__(self, tmp_path: Path, namespace: str | None = None) -> None:
        """Go into *namespace*, or into a new one."""
        if namespace is None:
            unshare(CLONE_NEWNET)
            sh("ip", "link", "set", "lo", "up")
        else:
            enter(namespace)
        self.log = MemoryLog("a")
        self.health = MemoryJournal("a", "health", self.log)
        self.console = MemoryJournal("a", "console", self.log)
        self.vrrp = MemoryJournal("a", "vrrp", self.log)
        self.settings = Settings(
            Edge("a", "ipvs-writer", "", tmp_path, tmp_path), read_back=0.2, retry_first=0.1
        )
        self.config: Config | None = None
        self.number = 0

    @asynccontextmanager
    async def writer(self) -> AsyncIterator[Writer]:
        """Run a writer; stop it at the end as SIGTERM would."""
        kernel = Kernel()
        self.journal = MemoryJournal("a", "ipvs-writer", self.log)
        writer = Writer(self.settings, self.journal, kernel)
        task = asyncio.create_task(writer.run())
        ready = asyncio.create_task(writer.ready.wait())
        await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE)
        assert not task.done(), task.exception()
        try:
            yield writer
            assert not task.done(), task.exception()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            writer.leave()
            await self.journal.close()
            kernel.close()

    def apply(self, services: dict[str, Any], **more: Any) -> None:
        """Apply a config of these services."""
        nodes = {"a": {"address": "10.0.0.1"}, "b": {"address": "10.0.0.2"}}
        document = {"version": 1, "nodes": nodes, "services": services, **more}
        self.config = Config.model_validate(document)
        self.number += 1
        data = ConfigApplied(
            number=self.number, hash=digest(document), document=document, author="test"
        )
        self.console.publish(draft("config.applied", ("cluster",), data))

    def verdict(self, backend: str, *, up: bool, service: str = "web", **more: Any) -> str:
        """Say what health says of a backend; give the event's id."""
        assert self.config is not None
        chosen = self.config.services[service]
        address = chosen.backends[backend].address
        data = BackendState(
            service=service,
            backend=backend,
            address=address.address,
            port=address.port,
            protocol=chosen.protocol,
            target=target_of(chosen, chosen.backends[backend]),
            up=up,
            **more,
        )
        said = draft(f"backend.{'up' if up else 'down'}", (service, backend), data)
        self.health.publish(said)
        return said.id

    def operator(self, mode: str, *entity: str, **more: Any) -> None:
        data = AdminState.model_validate({"entity": entity, "mode": mode, "who": "op", **more})
        self.console.publish(draft(f"operator.{mode}", entity, data))

    def said(self, kind: str) -> list[Any]:
        """Give the data of every event of one type, or one first token, in the log."""
        found = [each for each in self.journal.published if each.subject.type.startswith(kind)]
        return [each.event.data for each in found]

    def replayed(self) -> str:
        """Print the table that a fold of `table.*` gives, as ipvsadm would."""
        table: dict[ServiceKey, ServiceTable] = {}
        former: dict[str, ServiceKey] = {}
        for data in self.said("table"):
            match data:
                case TableChange():
                    done = [from_json(each.operation) for each in data.operations]
                    table = apply_operations(table, done)
                    former[data.service] = key_from_json(data.key)
                case TableRecord(table=None):
                    table.pop(former.pop(data.service, ServiceKey.marked(1)), None)
                case TableRecord():
                    listed = table_from_json(data.table)
                    table[listed.key] = listed
                    former[data.service] = listed.key
                case _:
                    pass
        return render(table)

    async def shows(self, *lines: str) -> None:
        """Wait until ipvsadm and the replay of the log both show exactly these real servers."""
        await until(lambda: servers() == list(lines), servers)
        await until(lambda: self.replayed() == sh("ipvsadm", "-Sn"), self.replayed)


def servers() -> list[str]:
    return [line.split(" -r ")[1] for line in sh("ipvsadm", "-Sn").splitlines() if " -r " in line]


async def until(holds: Callable[[], bool], shown: Callable[[], object]) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            while not holds():  # noqa: ASYNC110 - the kernel notifies nobody
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(f"still: {shown()}")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


async def serving(site: Site) -> None:
    """Bring both backends of web in."""
    site.apply({"web": WEB})
    site.verdict("w1", up=True)
    site.verdict("w2", up=True)
    await site.shows(W1, W2)


async def test_a_backend_comes_goes_and_returns(site: Site) -> None:
    async with site.writer():
        await serving(site)
        site.verdict("w1", up=False)
        await site.shows(W2)
        site.verdict("w1", up=True)
        await site.shows(W1, W2)
    assert [each.up for each in site.said("service.")] == [True]


async def test_when_every_backend_is_down_the_sorry_server_answers(site: Site) -> None:
    async with site.writer():
        await serving(site)
        site.verdict("w1", up=False)
        site.verdict("w2", up=False)
        await site.shows(SORRY)
        site.verdict("w2", up=True)
        await site.shows(W2)
    states: list[ServiceState] = site.said("service.")
    assert [(each.up, each.sorry) for each in states] == [
        (True, False),
        (False, True),
        (True, False),
    ]


async def test_a_change_names_its_cause_and_its_time_to_the_kernel(site: Site) -> None:
    async with site.writer():
        await serving(site)
        cause = site.verdict("w2", up=False)
        await site.shows(W1)
        change: TableChange = site.said("table.changed")[-1]
        last = site.journal.published[-1].event
    assert change.causes.ids == (cause,)
    assert last.causationid == cause
    assert last.configrev is not None
    assert [each.why for each in change.operations] == ["backend.down web/w2"]
    assert change.cause_to_kernel_ms is not None
    assert 0 < change.cause_to_kernel_ms < 5000


async def test_a_restart_with_nothing_changed_writes_and_says_nothing(site: Site) -> None:
    async with site.writer():
        await serving(site)
        said = len(site.said("table")) + len(site.said("service"))
    async with site.writer() as writer:
        assert not writer.table.tally.operations
        assert len(site.said("table")) + len(site.said("service")) == said
        await site.shows(W1, W2)


async def test_what_happened_while_the_writer_was_away_is_caught_up_with_its_cause(
    site: Site,
) -> None:
    async with site.writer():
        await serving(site)
    cause = site.verdict("w1", up=False)
    async with site.writer():
        await site.shows(W2)
        assert site.said("table.changed")[-1].causes.ids == (cause,)


async def test_a_table_that_is_there_is_adopted_as_found(site: Site) -> None:
    sh("ipvsadm", "-A", "-t", "192.0.2.10:80", "-s", "wrr")
    sh("ipvsadm", "-a", "-t", "192.0.2.10:80", "-r", "10.0.1.11:80", "-g", "-w", "3")
    site.apply({"web": WEB})
    async with site.writer() as writer:
        await site.shows(W1)
        assert not writer.table.tally.operations
        record: TableRecord = site.said("table.recorded")[0]
        assert record.why == "adopted"
        site.verdict("w2", up=True)
        await site.shows(W1, W2)


async def test_foreign_services_are_left_alone_and_reported_once(site: Site) -> None:
    sh("ipvsadm", "-A", "-u", "203.0.113.1:53", "-s", "rr")
    sh("ipvsadm", "-a", "-u", "203.0.113.1:53", "-r", "10.9.9.9:53", "-m")
    site.apply({"web": WEB})
    async with site.writer():
        site.verdict("w1", up=True)
        await until(lambda: len(servers()) == 2, servers)
    async with site.writer():
        drifts: list[TableDrift] = site.said("table.drift")
    assert [(each.service, each.ours, each.repaired) for each in drifts] == [
        ("udp-203-0-113-1-53", False, False)
    ]
    assert "-a -u 203.0.113.1:53 -r 10.9.9.9:53 -m -w 1" in sh("ipvsadm", "-Sn")


async def test_an_edit_by_hand_is_reported_and_repaired(site: Site) -> None:
    async with site.writer():
        await serving(site)
        sh("ipvsadm", "-d", "-t", "192.0.2.10:80", "-r", "10.0.1.12:80")
        sh("ipvsadm", "-e", "-t", "192.0.2.10:80", "-r", "10.0.1.11:80", "-g", "-w", "77")
        await until(lambda: bool(site.said("table.drift")), servers)
        await site.shows(W1, W2)
        texts = [text for each in site.said("table.drift") for text in each.differences]
    assert "10.0.1.12:80 is gone" in texts
    assert "10.0.1.11:80 has weight 77 instead of 3" in texts


async def test_a_flushed_table_is_written_again(site: Site) -> None:
    async with site.writer():
        await serving(site)
        sh("ipvsadm", "-C")
        await site.shows(W1, W2)


async def test_operators_drain_weigh_and_take_out(site: Site) -> None:
    async with site.writer():
        await serving(site)
        site.operator("drain", "backend", "web", "w1")
        await site.shows("10.0.1.11:80 -g -w 0", W2)
        site.operator("maint", "backend", "web", "w1")
        await site.shows(W2)
        site.operator("ready", "backend", "web", "w1", weight=9)
        await site.shows("10.0.1.11:80 -g -w 9", W2)
    assert [each.up for each in site.said("service.")] == [True]


async def test_a_refused_service_is_told_retried_and_hurts_no_other(site: Site) -> None:
    async with site.writer() as writer:
        site.apply({"web": WEB, "odd": {**WEB, "address": "192.0.2.11:80", "scheduler": "twos"}})
        site.verdict("w1", up=True)
        await site.shows(W1)
        await until(lambda: len(site.said("table.refused")) > 1, servers)
        refusal: TableRefusal = site.said("table.refused")[-1]
        assert refusal.service == "odd"
        assert "load it with `modprobe ip_vs_twos`" in refusal.error
        assert "odd" in str(writer.trouble())
        assert "lacks the module ip_vs_twos" in str(writer.trouble())
        site.apply({"web": WEB})
        await until(lambda: writer.table.trouble is None, lambda: writer.table.trouble)


@pytest.fixture
def unloadable() -> Iterator[Callable[[], str]]:
    """Take ovf's module out and keep the kernel from loading it; give what puts it in."""
    loader = Path("/proc/sys/kernel/modprobe")
    usual = loader.read_text()
    sh(usual.strip(), "-r", "ip_vs_ovf")
    loader.write_text("/bin/false")
    yield lambda: sh(usual.strip(), "ip_vs_ovf")
    loader.write_text(usual)


async def test_a_module_that_is_loaded_later_ends_the_refusal_at_once(
    site: Site, unloadable: Callable[[], str]
) -> None:
    site.settings = replace(site.settings, retry_first=3600.0)
    async with site.writer() as writer:
        site.apply({"web": {**WEB, "scheduler": "ovf"}})
        site.verdict("w1", up=True)
        await until(lambda: bool(site.said("table.refused")), servers)
        assert "modprobe ip_vs_ovf" in str(writer.trouble())
        unloadable()
        await site.shows(W1)
        assert writer.table.trouble is None
    assert [each.attempt for each in site.said("table.refused")] == [1]


async def test_a_service_moves_to_another_address(site: Site) -> None:
    async with site.writer():
        await serving(site)
        site.apply({"web": {**WEB, "address": "192.0.2.20:80"}})
        await until(lambda: "192.0.2.20" in sh("ipvsadm", "-Sn"), servers)
        site.verdict("w1", up=True)
        site.verdict("w2", up=True)
        await site.shows(W1, W2)
        assert "192.0.2.10" not in sh("ipvsadm", "-Sn")


async def test_a_service_that_left_the_config_leaves_the_table_even_after_a_restart(
    site: Site,
) -> None:
    async with site.writer():
        await serving(site)
    site.apply(
        {
            "dns": {
                "address": "192.0.2.10:53",
                "protocol": "udp",
                "assume_up": True,
                "backends": {"d1": "10.0.1.53:53"},
            }
        }
    )
    async with site.writer():
        await site.shows("10.0.1.53:53 -m -w 1")


async def test_a_service_may_go_when_libra_stops(site: Site) -> None:
    async with site.writer():
        site.apply(
            {"web": {**WEB, "on_stop": "remove"}, "keep": {**WEB, "address": "192.0.2.9:80"}}
        )
        site.verdict("w1", up=True)
        await site.shows(W1)
    assert sh("ipvsadm", "-Sn") == "-A -t 192.0.2.9:80 -s wrr\n"
    assert site.replayed() == sh("ipvsadm", "-Sn")


def weight_of(writer: Writer) -> int:
    return writer.table.held[ServiceKey.of("tcp", "192.0.2.10", 80)].destinations[0].weight


async def test_every_64_changes_the_whole_listing_is_recorded(site: Site) -> None:
    async with site.writer() as writer:
        await serving(site)
        for number in range(70):
            site.operator("ready", "backend", "web", "w1", weight=100 + number)
            await until(lambda n=number: weight_of(writer) == 100 + n, servers)  # type: ignore[misc]  # bound per turn
        await until(lambda: bool(site.said("table.recorded")), servers)
        assert site.said("table.recorded")[0].why == "periodic"


async def test_a_config_that_cannot_be_used_changes_nothing(site: Site) -> None:
    async with site.writer():
        await serving(site)
        document = {"version": 1, "services": {"web": {"addr": "192.0.2.10:80"}}}
        data = ConfigApplied(number=9, hash=digest(document), document=document, author="x")
        site.console.publish(draft("config.applied", ("cluster",), data))
        await until(lambda: bool(site.journal.rejected), lambda: site.journal.rejected)
        await site.shows(W1, W2)
    async with site.writer() as writer:
        assert not writer.table.tally.operations
        await site.shows(W1, W2)


def bring_up_sync() -> None:
    sh("ip", "link", "add", "sync0", "type", "dummy")
    sh("ip", "addr", "add", "198.51.100.1/24", "dev", "sync0")
    sh("ip", "link", "set", "sync0", "up")
    sh("ip", "route", "add", "224.0.0.0/4", "dev", "sync0")


async def test_the_sync_daemons_run_in_both_roles_with_the_sysctls_they_need(site: Site) -> None:
    bring_up_sync()
    async with site.writer() as writer:
        site.apply({"web": WEB}, sync={"interface": "sync0", "syncid": 3})
        await until(lambda: bool(site.said("conn.sync")), writer.trouble)
        role: SyncState = site.said("conn.sync")[0]
        assert (role.role, role.interface, role.syncid) == ("both", "sync0", 3)
        daemons = sh("ipvsadm", "-L", "--daemon")
        assert writer.trouble() is None
    assert "master sync daemon (mcast=sync0, syncid=3" in daemons
    assert "backup sync daemon (mcast=sync0, syncid=3" in daemons
    vs = Path("/proc/sys/net/ipv4/vs")
    found = [
        (vs / name).read_text().split()
        for name in ("sync_threshold", "sync_refresh_period", "sloppy_tcp")
    ]
    assert found == [["2", "0"], ["10"], ["1"]]


async def test_the_sysctls_that_flows_need_are_set(site: Site) -> None:
    vs = Path("/proc/sys/net/ipv4/vs")
    names = ("expire_nodest_conn", "expire_quiescent_template", "conn_reuse_mode")
    for name in names:
        (vs / name).write_text("0")

    def found() -> list[str]:
        return [(vs / name).read_text().strip() for name in names]

    async with site.writer() as writer:
        site.apply({"web": WEB})
        await until(lambda: found() == ["1", "1", "1"], writer.trouble)
        assert writer.trouble() is None


async def test_a_following_sync_daemon_takes_the_role_of_the_instance(site: Site) -> None:
    bring_up_sync()
    instances = {"front": {"interface": "sync0", "vrid": 51, "addresses": ["192.0.2.10/24"]}}
    async with site.writer() as writer:
        site.apply({"web": WEB}, sync={"role": "follow"}, instances=instances)
        for state in ("backup", "master", "backup"):
            data = InstanceState.model_validate(
                {
                    "instance": "front",
                    "state": state,
                    "why": "timer",
                    "vrid": 51,
                    "interface": "sync0",
                    "priority": 100,
                    "interval_ms": 1000,
                }
            )
            site.vrrp.publish(draft(f"vrrp.{state}", ("front",), data))
            await until(
                lambda state=state: (
                    bool(said := site.said("conn.sync"))  # type: ignore[misc]
                    and said[-1].role == state
                    and [each.role for each in writer.surroundings.kernel.daemons()] == [state]
                ),
                writer.trouble,
            )
    assert [each.role for each in site.said("conn.sync")] == ["backup", "master", "backup"]


async def test_a_missing_sync_interface_is_said_and_the_table_still_written(site: Site) -> None:
    async with site.writer() as writer:
        site.apply({"web": WEB}, sync={"interface": "nosuch0"})
        site.verdict("w1", up=True)
        await site.shows(W1)
        assert "start the master daemon on nosuch0" in str(writer.trouble())


async def test_an_outage_of_the_log_delays_only_what_is_said(site: Site) -> None:
    async with site.writer():
        await serving(site)
        site.log.reachable = False
        sh("ipvsadm", "-C")
        await until(lambda: servers() == [W1, W2], servers)
        site.log.heal()
        await site.shows(W1, W2)


async def test_a_lost_acknowledgement_leaves_nothing_undone_and_hides_no_drift(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = {
        "address": "192.0.2.11:25",
        "forward": "dr",
        "assume_up": True,
        "backends": {"m1": "10.0.1.21:25", "m2": "10.0.1.22:25"},
    }
    dns = {**mail, "address": "192.0.2.12:25"}
    m1, m2 = "10.0.1.21:25 -g -w 1", "10.0.1.22:25 -g -w 1"
    send_all = Wire.send_all

    def lossy(wire: Wire, payloads: Sequence[bytes]) -> list[int | None]:
        monkeypatch.setattr(Wire, "send_all", send_all)
        sh("ipvsadm", "-d", "-t", "192.0.2.12:25", "-r", "10.0.1.22:25")
        return [None] * len(send_all(wire, payloads))

    async with site.writer():
        site.apply({"mail": mail, "dns": dns})
        await site.shows(m1, m2, m1, m2)
        monkeypatch.setattr(Wire, "send_all", lossy)
        site.apply({"mail": {**mail, "backends": {"m1": "10.0.1.21:25"}}, "dns": dns, "web": WEB})
        await site.shows(m1, m1, m2)
    assert [each.service for each in site.said("table.drift")] == ["dns"]


async def test_what_the_kernel_refuses_to_repair_is_tried_again_by_itself(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    send_all, refusals = Wire.send_all, [ENOMEM, ENOMEM]

    def full(wire: Wire, payloads: Sequence[bytes]) -> list[int | None]:
        if payloads and refusals:
            return [refusals.pop()] * len(payloads)
        return send_all(wire, payloads)

    async with site.writer():
        await serving(site)
        monkeypatch.setattr(Wire, "send_all", full)
        sh("ipvsadm", "-C")
        await site.shows(W1, W2)
    assert [each.attempt for each in site.said("table.refused")] == [1, 2]
