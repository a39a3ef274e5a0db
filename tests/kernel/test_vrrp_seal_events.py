"""A seal from the config to the wire, and what attackers do from the wire to the log."""

import asyncio
import sys
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.kernel.test_vrrp_events import CONFIG, Log, log
from tests.kernel.test_vrrp_seal import inject, recording

from libra_runtime.nats_journal import open_reader
from libra_schemas.canonical import digest
from libra_schemas.events import Alarm, ConfigApplied
from libra_vrrp.codec import Advertisement, encode
from libra_vrrp.seal.datagram import is_sealed

if TYPE_CHECKING:
    from tests.kernel.conftest import Pair

pytestmark = pytest.mark.network

__all__ = ["log"]

SOMEBODY = IPv4Address("192.0.2.200")
OWNER = Advertisement(51, 255, 25, (IPv4Address("192.0.2.10"),))


def sealed_by(file: Path) -> ConfigApplied:
    """Return the config with a seal."""
    front: dict[str, Any] = {**CONFIG["instances"]["front"], "seal": {"key_file": str(file)}}
    document = {**CONFIG, "instances": {"front": front}}
    return ConfigApplied(number=1, hash=digest(document), document=document, author="test")


def alarms(log: Log) -> set[str]:
    """Return the kinds of alarm that the log holds."""

    async def read() -> set[str]:
        journal = await open_reader(log.server.edge("console"))
        found: set[str] = {
            stored.event.data.kind
            async for stored in journal.read("vrrp.alarm")
            if isinstance(stored.event.data, Alarm)
        }
        await journal.close()
        return found

    return log.director.node.call(lambda: asyncio.run(read()))


def test_a_seal_is_made_configured_attacked_and_the_log_says_so(
    pair: "Pair", log: Log, tmp_path: Path
) -> None:
    file = tmp_path / "seal.key"
    pair.a.node.run(sys.executable, "-m", "libra_cli", "keys", "seal", str(file))
    with recording(pair, tmp_path) as recorded:
        log.say("console", "config.applied", ("cluster",), sealed_by(file))
        pair.soon(pair.a.owns, "a owns the address that the config gives it")
        pair.soon(lambda: len(recorded.payloads()) > 5, "a speaks")
        said = [payload for _, payload in recorded.payloads()]
    assert all(map(is_sealed, said))
    plain = encode(OWNER, SOMEBODY, IPv4Address("224.0.0.18"))
    inject(pair, str(SOMEBODY), plain)
    pair.soon(lambda: alarms(log) == {"auth"}, "the plain advert is in the log, and nothing else")
    assert pair.a.owns()
