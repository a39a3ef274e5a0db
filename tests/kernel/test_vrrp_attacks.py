"""What attacks and accidents under a seal leave in the event log of the other director."""

import asyncio
import signal
import sys
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.kernel.test_vrrp_events import Log, log
from tests.kernel.test_vrrp_seal import inject, recording, stays
from tests.kernel.test_vrrp_seal_events import sealed_by

from libra_runtime.nats_journal import open_reader
from libra_schemas.events import Alarm
from libra_vrrp.kept import load_instances
from libra_vrrp.seal.names import sender
from libra_vrrp.seal.starts import loads

if TYPE_CHECKING:
    from tests.kernel.conftest import Director, Pair

pytestmark = pytest.mark.network

__all__ = ["log"]

B = IPv4Address("192.0.2.2")


def alarms(log: Log) -> list[Alarm]:
    """Return every alarm that the log holds, oldest first."""

    async def read() -> list[Alarm]:
        journal = await open_reader(log.server.edge("console"))
        found = [
            stored.event.data
            async for stored in journal.read("vrrp.alarm")
            if isinstance(stored.event.data, Alarm)
        ]
        await journal.close()
        return found

    return log.director.node.call(lambda: asyncio.run(read()))


def starts_of(director: "Director") -> Path:
    """Return the file in which a director counts its starts, and those of others."""
    return director.state / "vrrp-seal" / "starts.json"


def proven(pair: "Pair") -> int:
    """Return the highest start of b that has proven itself to a."""
    return loads(starts_of(pair.a).read_bytes()).proven.get(sender("b"), 0)


@pytest.fixture
def known(pair: "Pair", log: Log, tmp_path: Path) -> "Pair":
    """Return a pair under a seal whose master, a, knows two starts of b and has its own known.

    a's machine is a new one, whose alarms are not held back for what the first start was told.
    """
    key = tmp_path / "seal.key"
    pair.a.node.run(sys.executable, "-m", "libra_cli", "keys", "seal", str(key))
    log.say("console", "config.applied", ("cluster",), sealed_by(key))
    pair.soon(pair.a.owns, "a owns the address that the config gives it")
    (front,) = load_instances((pair.a.state / "vrrp" / "routers.jsonl").read_bytes())
    pair.b.order = replace(front, priority=100, tether=None)
    pair.b.write()
    for start in (1, 2):
        pair.b.start()
        pair.soon(lambda: proven(pair) == start, f"a knows start {start} of b")  # noqa: B023
        if start == 1:
            pair.b.stop()
    before = pair.a.pid("machine")
    pair.a.signal(signal.SIGKILL, "machine")
    pair.soon(lambda: pair.a.pid("machine") not in {None, before}, "another machine runs")
    pair.soon(lambda: pair.is_owned_by("a"), "a goes on")
    return pair


def test_a_lost_state_file_of_a_director_is_an_alarm_in_the_log_of_the_other(
    known: "Pair", log: Log, tmp_path: Path
) -> None:
    known.b.stop()
    starts_of(known.b).unlink()
    known.b.log = tmp_path / "b.log"
    known.b.start()

    def told() -> list[Alarm]:
        return [one for one in alarms(log) if "counts its starts anew" in one.detail]

    known.soon(told, "the alarm is in the log of a")
    (alarm,) = told()
    assert (alarm.instance, alarm.kind, alarm.peer) == ("front", "seal", B)
    assert alarm.detail == "a node counts its starts anew: its state file was lost"
    known.soon(
        lambda: known.b.log and "the state file of seals was lost" in known.b.log.read_text(),
        "b says so itself",
    )
    stays(known, "a")


def test_a_replay_of_what_a_director_said_is_an_alarm_in_the_log_of_the_other(
    known: "Pair", log: Log, tmp_path: Path
) -> None:
    with recording(known, tmp_path) as recorded:
        known.soon(lambda: len(recorded.payloads()) > 20, "both speak")
        said = [payload for source, payload in recorded.payloads() if source == str(B)]
    assert not any(one.kind == "replay" for one in alarms(log))
    inject(known, str(B), said[0])

    def told() -> list[Alarm]:
        return [one for one in alarms(log) if one.kind == "replay"]

    known.soon(told, "the alarm is in the log of a")
    assert (told()[0].instance, told()[0].peer) == ("front", B)
    stays(known, "a")
