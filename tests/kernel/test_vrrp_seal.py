"""Sealed heartbeats on real sockets: what each attack does to two directors.

The attacks themselves, every one and under a virtual clock: tests/vrrp/seal/test_attacks.py.
That nothing is in clear: test_vrrp_wire.py.
"""

import re
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.kernel.conftest import SIX, VIP, number
from tests.kernel.witness import witness

from libra_schemas.seal_keys import added, dumps, retired, switched
from libra_vrrp.codec import Advertisement, encode
from libra_vrrp.orders import Place, Seal
from libra_vrrp.seal.datagram import decode, is_sealed
from libra_vrrp.seal.starts import loads

if TYPE_CHECKING:
    from tests.kernel.conftest import Director, Pair

    from libra_lab.node import Node

pytestmark = pytest.mark.network

KEY, NEW = bytes(range(32)), bytes(range(32, 64))
INTERVAL = 0.25
SKEW_OF_100 = (256 - 100) / 256 * INTERVAL
SLACK = 1.0
FILTER = "ip proto 112"


def write_key(director: "Director", *keys: bytes) -> None:
    """Write a director's key file as `libra keys seal` would."""
    assert director.order.seal is not None
    file = Path(director.order.seal.key_file)
    fresh = file.with_suffix(".fresh")
    fresh.write_text(dumps(keys))
    fresh.chmod(0o600)
    fresh.replace(file)


def seal(director: "Director", tmp_path: Path, *, is_required: bool = True) -> None:
    """Give a director a seal and a key."""
    file = tmp_path / f"{director.node.name}.key"
    director.order = replace(director.order, seal=Seal(str(file), is_required))
    write_key(director, KEY)
    director.write()


@pytest.fixture
def sealed(pair: "Pair", tmp_path: Path) -> "Pair":
    """Return the pair with seals; nothing is started."""
    for director in (pair.a, pair.b):
        seal(director, tmp_path)
    return pair


class Recording:
    """The VRRP payloads that a node hears, by a raw socket of its own."""

    def __init__(self, node: "Node", file: Path) -> None:
        self.file = file
        self._process = node.popen([sys.executable, "-c", _RECORD, str(file)])

    def payloads(self) -> list[tuple[str, bytes]]:
        """Return what was recorded: the source and what the IP packet carried."""
        if not self.file.exists():
            return []
        lines = self.file.read_text().splitlines()
        return [(one.split()[0], bytes.fromhex(one.split()[1])) for one in lines if " " in one]

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


_RECORD = """
import socket, struct, sys
heard = socket.socket(socket.AF_INET, socket.SOCK_RAW, 112)
request = struct.pack("=4s4s", socket.inet_aton("224.0.0.18"), socket.inet_aton("192.0.2.100"))
heard.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
with open(sys.argv[1], "w", buffering=1) as file:
    while True:
        packet = heard.recv(4096)
        file.write(f"{socket.inet_ntoa(packet[12:16])} {packet[20:].hex()}\\n")
"""

_SEND = """
import socket, struct, sys, time
source, pause, *payloads = sys.argv[1:]
out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
out.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("192.0.2.100"))
for payload in map(bytes.fromhex, payloads):
    ends = socket.inet_aton(source) + socket.inet_aton("224.0.0.18")
    head = struct.pack("!BBHHHBBH", 0x45, 0xC0, 20 + len(payload), 0, 0, 255, 112, 0)
    out.sendto(head + ends + payload, ("224.0.0.18", 0))
    time.sleep(float(pause))
"""


@contextmanager
def recording(pair: "Pair", tmp_path: Path) -> Iterator[Recording]:
    """Record what everyone on the network can hear."""
    made = Recording(pair.client, tmp_path / "recorded")
    try:
        pair.soon(made.file.exists, "the recorder runs")
        yield made
    finally:
        made.stop()


def inject(pair: "Pair", source: str, *payloads: bytes, pause: float = 0.0) -> None:
    """Say something to everyone, under any source address."""
    pair.client.run(sys.executable, "-c", _SEND, source, str(pause), *(p.hex() for p in payloads))


def stays(pair: "Pair", owner: str) -> None:
    """Look for longer than any backup waits: there is never another owner."""
    until = time.monotonic() + 6 * INTERVAL + SKEW_OF_100
    while time.monotonic() < until:
        assert pair.owners() == [owner]


def test_failover_takes_no_longer_and_a_restart_moves_nobody(sealed: "Pair") -> None:
    sealed.start()
    stays(sealed, "a")
    sealed.a.signal(signal.SIGKILL, "machine")
    stays(sealed, "a")
    sealed.a.node.cut(silent=True)
    sealed.until(sealed.b.owns, 3 * INTERVAL + SKEW_OF_100 + SLACK, "b took over")
    sealed.a.node.heal()
    sealed.soon(lambda: sealed.owners() == ["a"], "a alone owns the address")
    sealed.a.stop()
    sealed.until(sealed.b.owns, SKEW_OF_100 + SLACK, "b took over on priority 0")


def test_recorded_adverts_keep_no_dead_master_alive(sealed: "Pair", tmp_path: Path) -> None:
    """To a backup that was down when they were said, and to one that heard them."""
    with recording(sealed, tmp_path) as recorded:
        sealed.a.start()
        sealed.soon(sealed.a.owns, "a owns the address")
        sealed.soon(lambda: len(recorded.payloads()) > 20, "a speaks")
        old = [payload for source, payload in recorded.payloads() if source == "192.0.2.1"]
    sealed.a.node.signal(signal.SIGKILL)
    sealed.soon(lambda: not sealed.a.owns(), "the lease ran out")
    sealed.b.start()
    sealed.soon(sealed.b.listens, "b listens")
    inject(sealed, "192.0.2.1", *old, pause=INTERVAL / 4)
    sealed.until(sealed.b.owns, 3 * INTERVAL + SKEW_OF_100 + SLACK, "b took over")
    inject(sealed, "192.0.2.1", *old)
    stays(sealed, "b")


def test_forged_and_plain_adverts_move_nobody(sealed: "Pair", tmp_path: Path) -> None:
    source = IPv4Address("192.0.2.200")
    owner = Advertisement(51, 255, 25, (IPv4Address("192.0.2.10"),))
    plain = encode(owner, source, IPv4Address("224.0.0.18"))
    with recording(sealed, tmp_path) as recorded:
        sealed.start()
        sealed.soon(lambda: len(recorded.payloads()) > 5, "they speak")
        last = [payload for who, payload in recorded.payloads() if who == "192.0.2.1"][-1]
    forged = [last[:40] + (10**6).to_bytes(8) + last[48:], last[:60], last[:30], last]
    for _ in range(10):
        inject(sealed, "192.0.2.200", plain)
        inject(sealed, "192.0.2.1", *forged)
        assert sealed.owners() == ["a"]
    stays(sealed, "a")


def test_a_key_is_rolled_without_a_transition(sealed: "Pair", tmp_path: Path) -> None:
    """Each step lasts for longer than a machine takes to look at its key file."""
    with recording(sealed, tmp_path) as recorded:
        sealed.start()
        keys: tuple[bytes, ...] = (KEY,)
        for step in (lambda held: added(held, NEW), switched, retired):
            keys = step(keys)
            for director in (sealed.a, sealed.b):
                write_key(director, *keys)
                stays(sealed, "a")
        ids = [decode(payload)[0].key for _, payload in recorded.payloads()]
    assert len(set(ids)) == 2
    assert ids[0] != ids[-1]
    stays(sealed, "a")


def test_another_key_is_another_cluster(sealed: "Pair") -> None:
    """Two keys: neither hears the other, and both say so."""
    write_key(sealed.b, NEW)
    sealed.a.start()
    sealed.b.start()
    sealed.soon(lambda: sealed.owners() == ["a", "b"], "each is master of its own")
    write_key(sealed.b, KEY)
    sealed.soon(lambda: sealed.owners() == ["a"], "one key, one master")


def test_a_key_file_that_others_may_read_is_a_fault_until_it_is_mended(sealed: "Pair") -> None:
    assert sealed.b.order.seal is not None
    file = Path(sealed.b.order.seal.key_file)
    file.chmod(0o644)
    sealed.b.start()
    sealed.soon(sealed.b.listens, "b listens")
    until = time.monotonic() + 6 * INTERVAL + SKEW_OF_100
    while time.monotonic() < until:
        assert not sealed.b.owns()
    file.chmod(0o600)
    sealed.soon(sealed.b.owns, "b owns the address")


@pytest.mark.parametrize("damage", ["lost", "damaged"])
def test_a_state_file_that_is_gone_moves_nobody(sealed: "Pair", damage: str) -> None:
    sealed.start()
    file = sealed.a.state / "vrrp-seal" / "starts.json"
    assert loads(file.read_bytes()).own == 1
    assert file.stat().st_mode & 0o777 == 0o600
    if damage == "lost":
        file.unlink()
    else:
        file.write_bytes(b"\0" * 100)
    sealed.a.signal(signal.SIGKILL, "machine")
    stays(sealed, "a")
    sealed.soon(lambda: loads(file.read_bytes()).own == 1, "starts are counted anew")
    proven = sealed.b.state / "vrrp-seal" / "starts.json"
    assert list(loads(proven.read_bytes()).proven.values()) == [1]


def test_from_plain_to_sealed_without_a_transition(pair: "Pair", tmp_path: Path) -> None:
    """Plain, then `mode: accept` on each, then `required` on each."""
    pair.start()
    for is_required in (False, True):
        for director in (pair.a, pair.b):
            seal(director, tmp_path, is_required=is_required)
            director.reload()
            stays(pair, "a")
    with recording(pair, tmp_path) as recorded:
        pair.soon(lambda: len(recorded.payloads()) > 10, "they speak")
        assert all(is_sealed(payload) for _, payload in recorded.payloads())


@pytest.fixture
def keyless(pair: "Pair", tmp_path: Path) -> "Pair":
    """Return the pair at work and told to seal, while neither has its key; both say so."""
    logs = [tmp_path / "a.log", tmp_path / "b.log"]
    for director, log in zip((pair.b, pair.a), logs, strict=True):
        director.log = log
        director.start()
    pair.soon(lambda: pair.is_owned_by("a"), "a alone owns the address")
    for director in (pair.a, pair.b):
        missing = Seal(str(tmp_path / f"{director.node.name}.key"))
        director.order = replace(director.order, seal=missing)
        director.reload()
    pair.soon(lambda: all("No such file" in log.read_text() for log in logs), "keys are missing")
    stays(pair, "a")
    return pair


def test_a_seal_that_is_applied_before_its_key_is_there_moves_nobody(
    keyless: "Pair", tmp_path: Path
) -> None:
    for director in (keyless.a, keyless.b):
        write_key(director, KEY)
    stays(keyless, "a")
    with recording(keyless, tmp_path) as recorded:
        keyless.soon(lambda: len(recorded.payloads()) > 10, "they speak")
        assert all(is_sealed(payload) for _, payload in recorded.payloads())
    stays(keyless, "a")


@pytest.mark.parametrize("first", ["a", "b"])
def test_who_has_its_key_before_the_other_never_shares_the_address(
    keyless: "Pair", first: str
) -> None:
    """The other hears that it was passed, gives up, and is back when it has its key."""
    directors = {"a": keyless.a, "b": keyless.b}
    second = directors["b" if first == "a" else "a"]
    with witness(VIP, [keyless.a.node, keyless.b.node], keyless.client) as seen:
        keyless.soon(lambda: seen.owners() == {"a"}, "a renews")
        since = time.monotonic()
        write_key(directors[first], KEY)
        keyless.soon(lambda: seen.owners() == {first}, f"{first} alone owns the address")
        stays(keyless, first)
        assert seen.shared(since) == 0
        write_key(second, KEY)
        keyless.soon(lambda: seen.owners() == {"a"}, "a alone owns the address")
        stays(keyless, "a")


def octets(lines: list[str]) -> str:
    """Return what tcpdump -x shows, without offsets and blanks."""
    dumped = [line.partition(":")[2] for line in lines if line.lstrip().startswith("0x")]
    return "".join(dumped).replace(" ", "")


def test_both_families_are_sealed_and_move_together(sealed: "Pair") -> None:
    number(sealed)
    for director in (sealed.a, sealed.b):
        director.order = replace(director.order, group="both families of front")
        six = replace(director.order, name="front-ipv6", places=(Place("eth0", SIX),))
        director.others = (six,)
        director.write()
    with sealed.client.capture("eth0", "ip6 proto 112", "-x") as wire:
        sealed.start()
        sealed.soon(lambda: sealed.a.owns(SIX), "a owns both")
        sealed.soon(lambda: len(octets(wire.lines)) > 2000, "IPv6 is spoken")
        assert "f100" in octets(wire.lines)
        assert SIX.packed.hex() not in octets(wire.lines)
        sealed.a.node.cut(silent=True)
        sealed.until(sealed.b.owns, 3 * INTERVAL + SKEW_OF_100 + SLACK, "b took over")
        sealed.soon(lambda: sealed.b.owns(SIX), "b owns both")
    sealed.a.node.heal()
    sealed.soon(lambda: sealed.is_owned_by("a", SIX), "a alone owns both again")


def test_unicast_is_sealed_likewise(sealed: "Pair") -> None:
    ends = IPv4Address("192.0.2.1"), IPv4Address("192.0.2.2")
    for director, (own, peer) in ((sealed.a, ends), (sealed.b, ends[::-1])):
        director.order = replace(director.order, source=own, peers=(peer,))
        director.write()
    with sealed.a.node.capture("eth0", "ip proto 112") as wire:
        sealed.start()
        stays(sealed, "a")
        said = list(wire.lines)
    assert said
    assert not any("224.0.0.18" in line for line in said)
    sealed.a.node.cut(silent=True)
    sealed.until(sealed.b.owns, 3 * INTERVAL + SKEW_OF_100 + SLACK, "b took over")


def test_a_backup_that_was_stopped_does_not_take_over(sealed: "Pair") -> None:
    """What waited for it echoes its last challenges: it takes nothing for stale."""
    sealed.start()
    sealed.b.signal(signal.SIGSTOP, "machine")
    time.sleep(3.0)
    sealed.b.signal(signal.SIGCONT, "machine")
    stays(sealed, "a")


@pytest.mark.skipif(shutil.which("keepalived") is None, reason="keepalived is not installed")
def test_a_keepalived_on_the_same_network_ignores_it_quietly(
    sealed: "Pair", tmp_path: Path
) -> None:
    """Another virtual router of keepalived's own: it neither speaks of ours nor moves."""
    config, said = tmp_path / "keepalived.conf", tmp_path / "said"
    config.write_text(_OTHER)
    argv = ["keepalived", "-n", "-l", "-D", "-P", "-f", str(config)]
    argv += ["-p", str(tmp_path / "k.pid"), "-r", str(tmp_path / "k.vrrp.pid")]
    with said.open("w") as out:
        process = sealed.client.popen(argv, stdout=out, stderr=out)
        try:
            sealed.soon(lambda: "MASTER" in said.read_text(), "keepalived is master of its own")
            before = len(said.read_text().splitlines())
            sealed.start()
            stays(sealed, "a")
            new = said.read_text().splitlines()[before:]
        finally:
            process.terminate()
            process.wait(10)
    assert [line for line in new if re.search(r"(?i)vrrp|version|vrid|packet", line)] == []


_OTHER = """
vrrp_instance other {
  state MASTER
  interface eth0
  virtual_router_id 77
  version 3
  priority 200
  advert_int 0.25
  virtual_ipaddress {
    192.0.2.77/32 dev eth0
  }
}
"""
