"""The reporter between a real nats-server and the machine: config in, events out."""

import asyncio
import json
import os
import re
import shutil
import signal
import stat
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from tests.kernel.conftest import VIP
from tests.kernel.disks import fill, tiny

from libra_runtime.nats_journal import open_journal, open_reader
from libra_runtime.stamp import draft
from libra_runtime.streams import Limits
from libra_runtime.testing import TestServer, start_nats
from libra_schemas.canonical import digest
from libra_schemas.events import AdminState, ConfigApplied, EventData, InstanceState, ServiceState
from libra_vrrp.kept import load_instances

if TYPE_CHECKING:
    from tests.kernel.conftest import Director, Pair

pytestmark = pytest.mark.network

INTERVAL_MS = 250
SECOND = IPv4Address("192.0.2.11")

CONFIG: dict[str, Any] = {
    "version": 1,
    "nodes": {"a": {"address": "192.0.2.1"}, "b": {"address": "192.0.2.2"}},
    "instances": {
        "front": {
            "interface": "eth0",
            "vrid": 51,
            "interval": f"{INTERVAL_MS}ms",
            "priority": {"a": 150, "b": 100},
            "addresses": ["192.0.2.10/24"],
            "preempt": True,
            "track": {"services": {"web": {"weight": -60}}},
        }
    },
    "services": {
        "web": {
            "address": "192.0.2.10:80",
            "forward": "nat",
            "scheduler": "rr",
            "check": {"tcp": {}},
            "backends": {"w1": "10.0.0.1:80"},
        }
    },
}
APPLIED = ConfigApplied(number=1, hash=digest(CONFIG), document=CONFIG, author="test")
WEB_DOWN = ServiceState(
    service="web", up=False, live_weight=0, quorum=1, hysteresis=0, eligible=0, backends=1
)
SMALL = Limits(size=64 << 20)
FAILOVER = AdminState(entity=("instance", "front"), failover=True, who="test")
OF_NODE = FAILOVER.model_copy(update={"entity": ("node", "a")})


class Log:
    """The log of node a, spoken to from inside its namespace."""

    def __init__(self, director: "Director", directory: Path) -> None:
        self.director = director
        self.server: TestServer = director.node.call(start_nats, directory, "a")
        try:
            director.node.call(lambda: asyncio.run(self.server.make_streams(SMALL)))
        except BaseException:
            self.server.stop()
            raise
        director.environment = {
            "LIBRA_NATS": self.server.url,
            "LIBRA_SEED_FILE": str(self.server.seeds["vrrp"]),
        }

    def say(self, service: str, kind: str, key: tuple[str, ...], data: EventData) -> None:
        """Publish one event as a service."""

        async def append() -> None:
            journal = await open_journal(self.server.edge(service))
            await journal.append(draft(kind, key, data))
            await journal.close()

        self.director.node.call(lambda: asyncio.run(append()))

    def states(self) -> list[InstanceState]:
        """Return every state of the instance that the log holds, oldest first."""

        async def read() -> list[InstanceState]:
            journal = await open_reader(self.server.edge("console"))
            found = [
                stored.event.data
                async for stored in journal.read("vrrp")
                if isinstance(stored.event.data, InstanceState)
            ]
            await journal.close()
            return found

        return self.director.node.call(lambda: asyncio.run(read()))


@pytest.fixture
def log(pair: "Pair", tmp_path: Path) -> Iterator[Log]:
    """Start a nats-server on a, and libra-vrrp there with nothing kept from before."""
    made = Log(pair.a, tmp_path / "nats")
    (pair.a.state / "vrrp" / "routers.jsonl").unlink()
    pair.a.start()
    yield made
    pair.a.stop()
    made.server.stop()


def configured(pair: "Pair", log: Log) -> None:
    """Apply the config and wait until a owns the address."""
    log.say("console", "config.applied", ("cluster",), APPLIED)
    pair.soon(pair.a.owns, "a owns the address that the config gives it")


def test_an_applied_config_makes_a_master_and_the_log_says_so(pair: "Pair", log: Log) -> None:
    configured(pair, log)
    pair.soon(lambda: len(log.states()) == 2, "both states are in the log")
    backup, master = log.states()
    assert (backup.state, backup.why, backup.previous) == ("backup", "start", None)
    assert (master.state, master.why, master.previous) == ("master", "timer", "backup")
    assert (master.priority, master.interval_ms, master.addresses) == (
        150,
        INTERVAL_MS,
        ("192.0.2.10",),
    )


def test_both_families_of_an_instance_are_two_routers_in_the_log_and_hand_over_together(
    pair: "Pair", log: Log, tmp_path: Path
) -> None:
    six = IPv6Address("2001:db8::10")
    front = CONFIG["instances"]["front"] | {"addresses": ["192.0.2.10/24", f"{six}/64"]}
    both = CONFIG | {"instances": {"front": front}}
    kept = ConfigApplied(number=1, hash=digest(both), document=both, author="test")
    log.say("console", "config.applied", ("cluster",), kept)
    pair.soon(lambda: pair.a.owns() and pair.a.owns(six), "a owns what the config gives it")
    pair.soon(lambda: len(log.states()) == 4, "every state is in the log")
    masters = {one.instance: one for one in log.states() if one.state == "master"}
    assert {name: one.family for name, one in masters.items()} == {
        "front": "ipv4",
        "front-ipv6": "ipv6",
    }
    assert masters["front-ipv6"].addresses == (str(six),)
    routers = load_instances((pair.a.state / "vrrp" / "routers.jsonl").read_bytes())
    pair.b.order, *others = (replace(one, priority=100) for one in routers)
    pair.b.others = tuple(others)
    pair.b.write()
    told = tmp_path / "told"
    pair.b.wrapper = ("sh", "-c", f'exec "$0" "$@" 2> {told}')
    pair.b.start()
    pair.soon(told.exists, "b has started")
    said = re.compile(r'"type": "vrrp.backup", .*"instance": "front-ipv6"')
    pair.soon(lambda: said.search(told.read_text()), "b is a backup, and both of its routers are")
    log.say("console", "operator.failover", ("instance", "front"), FAILOVER)
    for address in (VIP, six):
        pair.soon(partial(pair.is_owned_by, "b", address), f"b alone owns {address}")


@pytest.fixture
def secret() -> Iterator[Path]:
    """Return a file that only root may read, where everybody may look for it."""
    with TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        file = Path(directory) / "pass"
        file.write_text("s3cret\n")
        file.chmod(0o600)
        yield file


def test_a_password_reaches_the_wire_once_the_reporter_may_read_it_and_no_other_user(
    pair: "Pair", log: Log, secret: Path
) -> None:
    front = CONFIG["instances"]["front"] | {"interval": "1s", "unicast": True}
    front |= {"version": 2, "auth_file": str(secret)}
    old = CONFIG | {"instances": {"front": front}}
    applied = ConfigApplied(number=1, hash=digest(old), document=old, author="test")
    spoken = "proto 112 and src 192.0.2.1 and dst 192.0.2.2"
    with pair.b.node.capture("eth0", spoken, "-vv") as said:
        log.say("console", "config.applied", ("cluster",), applied)
        pair.soon(lambda: pair.a.pid("reporter"), "the reporter waits for its secret")
        assert pair.owners() == []
        assert "s3cret" not in "".join(said.lines)
        os.chown(secret, 0, 65534)
        secret.chmod(0o640)
        pair.soon(pair.a.owns, "a owns the address that the config gives it")
        said.wait_for(r'VRRPv2, .*vrid 51, prio 150, authtype simple, .*auth "s3cret')
    listed = pair.a.state / "vrrp" / "routers.jsonl"
    assert b"s3cret".hex() in listed.read_text()
    assert stat.S_IMODE(listed.parent.stat().st_mode) & 0o007 == 0


def test_the_reporter_runs_without_privileges(pair: "Pair", log: Log) -> None:
    configured(pair, log)
    status = Path(f"/proc/{pair.a.pid('reporter')}/status").read_text()
    facts = dict(line.split(":\t", 1) for line in status.splitlines())
    assert facts["Uid"].split() == ["65534"] * 4
    assert facts["Gid"].split() == ["65534"] * 4
    assert int(facts["CapEff"], 16) == 0


def test_without_nats_the_machine_goes_on_and_starts_from_what_was_kept(
    pair: "Pair", log: Log
) -> None:
    configured(pair, log)
    pair.soon(lambda: log.states()[-1].state == "master", "the log knows the master")
    said = len(log.states())
    log.server.kill()
    pair.a.signal(signal.SIGKILL, "machine")
    pair.a.signal(signal.SIGKILL, "reporter")
    pair.soon(lambda: pair.a.pid("machine") and pair.a.pid("reporter"), "both run again")
    pair.soon(pair.a.owns, "a owns the address")
    before = pair.a.pid("machine")
    pair.a.node.call(log.server.restart)
    pair.soon(
        lambda: len(log.states()) > said and log.states()[-1].state == "master",
        "the log catches up",
    )
    assert pair.a.pid("machine") == before
    assert pair.a.owns()


def test_a_tracked_service_without_quorum_lowers_the_priority(pair: "Pair", log: Log) -> None:
    configured(pair, log)
    pair.b.start()
    with pair.client.capture("eth0", "ip proto 112 and src 192.0.2.1") as of_a:
        log.say("ipvs-writer", "service.down", ("web",), WEB_DOWN)
        of_a.wait_for("prio 90")
    pair.soon(lambda: pair.owners() == ["b"], "b alone owns the address")
    log.say("ipvs-writer", "service.up", ("web",), WEB_DOWN.model_copy(update={"up": True}))
    pair.soon(lambda: pair.owners() == ["a"], "a alone owns the address")


def test_an_operator_moves_the_address_away(pair: "Pair", log: Log) -> None:
    configured(pair, log)
    pair.b.start()
    pair.soon(pair.b.listens, "b is a backup")
    pair.soon(lambda: log.states()[-1].state == "master", "the reporter knows")
    log.say("console", "operator.failover", ("instance", "front"), FAILOVER)
    pair.soon(lambda: pair.owners() == ["b"], "b alone owns the address")
    pair.soon(lambda: log.states()[-1].why == "operator", "the log says why")


def test_an_address_that_nobody_takes_over_comes_back(pair: "Pair", log: Log) -> None:
    configured(pair, log)
    pair.soon(lambda: log.states()[-1].state == "master", "the reporter knows")
    log.say("console", "operator.failover", ("node", "a"), OF_NODE)
    pair.soon(lambda: len(log.states()) == 4, "a gave up and came back")
    assert [(one.state, one.why) for one in log.states()[2:]] == [
        ("backup", "operator"),
        ("master", "timer"),
    ]
    assert log.states()[-1].detail.startswith("nobody took over")
    assert 3 * INTERVAL_MS < log.states()[-1].took_ms < 6 * INTERVAL_MS
    assert pair.owners() == ["a"]


def test_who_was_told_to_yield_leaves_its_successor_alone_until_the_end(
    pair: "Pair", log: Log
) -> None:
    configured(pair, log)
    pair.b.start()
    pair.soon(pair.b.listens, "b is a backup")
    pair.soon(lambda: log.states()[-1].state == "master", "the reporter knows")
    until = datetime.now(UTC) + timedelta(seconds=8)
    order = FAILOVER.model_copy(update={"until": until})
    log.say("console", "operator.failover", ("instance", "front"), order)
    pair.soon(lambda: pair.owners() == ["b"], "b alone owns the address")
    pair.soon(lambda: pair.owners() == ["a"], "a alone owns the address again")
    assert datetime.now(UTC) >= until
    pair.soon(lambda: log.states()[-1].why == "preempt", "the log says why")
    assert log.states()[-1].detail.endswith("held back is over")


def test_who_takes_a_failover_back_ends_the_holding_back(pair: "Pair", log: Log) -> None:
    configured(pair, log)
    pair.b.start()
    pair.soon(pair.b.listens, "b is a backup")
    pair.soon(lambda: log.states()[-1].state == "master", "the reporter knows")
    long = FAILOVER.model_copy(update={"until": datetime.now(UTC) + timedelta(hours=1)})
    log.say("console", "operator.failover", ("instance", "front"), long)
    pair.soon(lambda: pair.owners() == ["b"], "b alone owns the address")
    ready = FAILOVER.model_copy(update={"failover": False})
    log.say("console", "operator.ready", ("instance", "front"), ready)
    pair.soon(lambda: pair.owners() == ["a"], "a alone owns the address again")


def test_an_orderly_stop_is_the_last_event(pair: "Pair", log: Log) -> None:
    configured(pair, log)
    pair.a.stop()
    last = log.states()[-1]
    assert (last.state, last.why, last.previous) == ("stopped", "stop", "master")
    assert pair.owners() == []


def test_four_capabilities_are_enough(pair: "Pair", log: Log) -> None:
    pair.a.stop()
    shutil.rmtree(pair.a.state)
    few = "-all,+net_admin,+net_raw,+setuid,+setgid"
    pair.a.wrapper = ("setpriv", "--bounding-set", few, "--inh-caps=-all", "--no-new-privs")
    pair.a.start()
    configured(pair, log)
    assert pair.a.parent is not None
    pair.a.stop()
    assert pair.a.parent.returncode == 0
    assert log.states()[-1].state == "stopped"
    assert pair.a.pid("reporter") is None
    assert pair.owners() == []


def test_a_reporter_that_may_not_leave_root_delays_no_stop(
    pair: "Pair", log: Log, tmp_path: Path
) -> None:
    pair.a.stop()
    few = ("setpriv", "--bounding-set", "-all,+net_admin,+net_raw", "--inh-caps=-all")
    pair.a.environment["LIBRA_METRICS_PORT"] = "9642"
    pair.a.wrapper = (*few, "sh", "-c", f'exec "$0" "$@" 2> {tmp_path}/said')
    pair.a.start()
    said = tmp_path / "said"
    pair.soon(lambda: said.exists() and "lacks CAP_SETGID" in said.read_text(), "it says why")
    pair.a.stop()
    assert "child does not end" not in said.read_text()
    assert pair.a.pid("reporter") is None
    assert log.states() == []


def test_a_full_disk_delays_a_config_and_ends_nobody(pair: "Pair", log: Log) -> None:
    pair.a.stop()
    shutil.rmtree(pair.a.state)
    pair.a.state.mkdir()
    with tiny(pair.a.state) as ballast:
        fill(ballast)
        pair.a.start()
        pair.soon(lambda: pair.a.pid("reporter"), "the reporter runs")
        reporter = pair.a.pid("reporter")
        log.say("console", "config.applied", ("cluster",), APPLIED)
        time.sleep(1.5)  # nothing is to happen in it
        assert not pair.a.owns()
        ballast.unlink()
        pair.soon(pair.a.owns, "a owns the address once there is room")
        assert pair.a.pid("reporter") == reporter
        pair.soon(lambda: len(log.states()) == 2, "both states are in the log")
        pair.a.stop()


def test_a_reporter_that_cannot_begin_says_so_in_one_sentence(
    pair: "Pair", log: Log, tmp_path: Path
) -> None:
    pair.a.stop()
    log.server.seeds["vrrp"].unlink()
    pair.a.wrapper = ("sh", "-c", f'exec "$0" "$@" 2> {tmp_path}/said')
    pair.a.start()
    said = tmp_path / "said"
    pair.soon(lambda: said.exists() and "starting another" in said.read_text(), "it ended")
    lines = [json.loads(line) for line in said.read_text().splitlines()]
    why = [line["why"] for line in lines if line["event"] == "the reporter cannot work"]
    assert why[0].endswith("vrrp.seed: No such file or directory")


def grouped() -> dict[str, Any]:
    """Return the config with a second instance that moves with the first."""
    front = CONFIG["instances"]["front"] | {"group": "nat"}
    back = front | {"vrid": 52, "addresses": [f"{SECOND}/24"], "track": {}}
    return CONFIG | {"instances": {"front": front, "back": back}}


def test_a_failover_of_one_instance_moves_its_group_and_the_log_says_who_led(
    pair: "Pair", log: Log
) -> None:
    written = grouped()
    applied = ConfigApplied(number=1, hash=digest(written), document=written, author="test")
    log.say("console", "config.applied", ("cluster",), applied)
    pair.soon(lambda: pair.a.owns() and pair.a.owns(SECOND), "a owns both addresses")
    pair.soon(lambda: len(log.states()) == 4, "a backup and a master of each is in the log")
    log.say("console", "operator.failover", ("instance", "front"), FAILOVER)
    pair.soon(lambda: len(log.states()) == 8, "it gave up and, there being nobody, came back")
    told = [(one.instance, one.state, one.why, one.detail) for one in log.states()[4:6]]
    assert told == [
        ("front", "backup", "operator", ""),
        ("back", "backup", "group", "front is master no more"),
    ]
    assert {(one.instance, one.state) for one in log.states()[6:]} == {
        ("front", "master"),
        ("back", "master"),
    }


def test_what_one_of_a_group_tracks_weighs_on_all(pair: "Pair", log: Log) -> None:
    written = grouped()
    applied = ConfigApplied(number=1, hash=digest(written), document=written, author="test")
    log.say("console", "config.applied", ("cluster",), applied)
    pair.soon(lambda: pair.a.owns() and pair.a.owns(SECOND), "a owns both addresses")
    with pair.client.capture("eth0", "ip proto 112") as seen:
        log.say("ipvs-writer", "service.down", ("web",), WEB_DOWN)
        for vrid in (51, 52):
            seen.wait_for(f"vrid {vrid}, prio 90")
