"""Packets of every kind of wrongness on a real network: counted once by reason, changing nothing.

Both directors have a router of each kind: version 3, version 2 with a password, unicast, IPv6. All
is said by a third host in the name of an owner, whom both would follow at once.
"""

import socket
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

import pytest
from tests.kernel.conftest import PATIENCE, SIX, VIP, number, until
from tests.kernel.witness import Witness, witness

from libra_vrrp.checksum import internet_checksum
from libra_vrrp.codec import GROUP, OWNER, PROTOCOL, Advertisement, Datagram, encode
from libra_vrrp.codec.packet import whole_packet
from libra_vrrp.codec.pseudo_header import pseudo_header
from libra_vrrp.orders import Place
from libra_vrrp.shell.wire import LARGEST

if TYPE_CHECKING:
    from tests.kernel.conftest import Director, Pair

    from libra_lab.node import Node
    from libra_vrrp.rtnetlink import IpAddress

pytestmark = pytest.mark.network

PORT = "9642"
PASSWORD = b"s3cret"
OLD_VIP, FAR_VIP, OTHER = (IPv4Address(f"192.0.2.{host}") for host in (12, 13, 14))
A, B, CLIENT = (IPv4Address(f"192.0.2.{host}") for host in (1, 2, 100))
STRANGER = IPv6Address("fe80::99")
FRONT = Advertisement(51, OWNER, 25, (VIP,))
OLD = Advertisement(53, OWNER, 100, (OLD_VIP,), version=2)
FAR = Advertisement(54, OWNER, 25, (FAR_VIP,))
WIDE = Advertisement(55, OWNER, 25, (SIX,))


def said(
    advertisement: Advertisement, to: "IpAddress | None" = None, password: bytes | None = None
) -> Datagram:
    """Return what the stranger says, to the group unless `to` somebody."""
    source: IpAddress = STRANGER if advertisement is WIDE else CLIENT
    to = GROUP[source.version] if to is None else to
    return Datagram(source, to, encode(advertisement, source, to, password=password))


def bent(datagram: Datagram, at: int, octets: bytes) -> Datagram:
    """Return it with some octets replaced, and the sum right again."""
    message = datagram.message
    return summed(datagram, message[:at] + octets + message[at + len(octets) :])


def summed(datagram: Datagram, message: bytes) -> Datagram:
    bare = message[:6] + b"\0\0" + message[8:]
    head = pseudo_header(datagram.source, datagram.destination, len(bare))
    covered = bare if message[0] >> 4 == OLD.version else head + bare
    return replace(datagram, message=bare[:6] + internet_checksum(covered).to_bytes(2) + bare[8:])


def unsummed(datagram: Datagram) -> Datagram:
    message = datagram.message
    flipped = bytes(octet ^ 0xFF for octet in message[6:8])
    return replace(datagram, message=message[:6] + flipped + message[8:])


def wrong_in_itself(right: Datagram) -> Iterator[tuple[str, Datagram]]:
    """Yield by its reason what no router of any kind takes."""
    message = right.message
    yield "short", replace(right, message=message[:7])
    yield "version", bent(right, 0, b"\x41")
    yield "type", bent(right, 0, bytes([message[0] & 0xF0 | 2]))
    yield "length", bent(right, 3, b"\2")
    yield "length", bent(right, 3, b"\0")
    yield "length", summed(right, message + bytes(4))
    yield "checksum", unsummed(right)
    yield "vrid", bent(right, 1, b"\0")
    is_old = message[0] >> 4 == OLD.version
    yield "interval", bent(right, 5, b"\0") if is_old else bent(right, 4, bytes(2))


def wrong_for_routers(to: "IpAddress") -> Iterator[tuple[str, Datagram]]:
    """Yield by its reason what is no advert, or none for whom it names; `to` is whose address."""
    secret = said(OLD, password=PASSWORD)
    for right in (said(FRONT), secret, said(WIDE)):
        yield from wrong_in_itself(right)
        yield "ttl", replace(right, hops=254)
    yield from wrong_in_itself(said(FAR, to))
    yield "version", said(replace(FRONT, version=2, interval=100))
    yield "version", said(replace(OLD, version=3))
    yield "auth_type", said(OLD)
    yield "auth_data", said(OLD, password=b"other")
    yield "interval", said(replace(OLD, interval=200), password=PASSWORD)
    yield "length", summed(secret, secret.message[:-8])
    yield "unicast", said(FRONT, to)
    yield "unicast", said(OLD, to, PASSWORD)
    yield "multicast", said(FAR)
    yield "peer", said(FAR, to)
    yield "peer", replace(said(FAR, to), hops=62)


def not_for_us(to: "IpAddress") -> Iterator[tuple[str, Datagram]]:
    """Yield what is right and for nobody, or is heard and only told of."""
    yield "unknown_vrid", said(replace(FRONT, vrid=99))
    yield "unknown_vrid", said(replace(FAR, vrid=99), to)
    lower = replace(FRONT, priority=1, addresses=(OTHER,))
    yield "other_addresses", said(lower)
    yield "other_addresses", said(replace(lower, addresses=(VIP, OTHER)))


def put(frames: list[bytes]) -> None:
    """Put whole frames on eth0, each once."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind(("eth0", 0))
        for frame in frames:
            raw.send(frame)


def frame(datagram: Datagram, mac: str) -> bytes:
    """Return the frame that carries a datagram to its group, or to one director."""
    to, kind = bytes.fromhex(mac.replace(":", "")), b"\x08\x00"
    if datagram.source.version == 6:
        kind = b"\x86\xdd"
        to = b"\x33\x33\0\0\0\x12" if datagram.destination.is_multicast else to
    elif datagram.destination.is_multicast:
        to = b"\x01\0\x5e\0\0\x12"
    return to + b"\x02\0\0\0\0\x99" + kind + whole_packet(datagram)


@dataclass
class Told:
    """What a director tells of what it heard: figures by their label, states entered."""

    counts: Counter[str]
    transitions: list[str]


def told(node: "Node") -> Told:
    """Return a director's metrics."""
    url = f"http://127.0.0.1:{PORT}/metrics"

    def scraped() -> str:
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
                return str(answer.read(), "ascii")
        except OSError:
            return ""

    counts, transitions = Counter[str](), list[str]()
    for line in node.call(scraped).splitlines():
        name, _, value = line.rpartition(" ")
        if name.startswith("libra_vrrp_machine_count{"):
            counts[name.split('"')[1]] = int(float(value))
        elif name.startswith(("libra_vrrp_transitions_total{", "libra_vrrp_state{")):
            transitions.append(line)
    return Told(counts, transitions)


@pytest.fixture
def many(pair: "Pair") -> "Pair":
    """Give each director a router of every kind, and figures to look at."""
    number(pair)
    for director, (ours, theirs) in ((pair.a, (A, B)), (pair.b, (B, A))):
        front = director.order
        old = replace(front, name="old", vrid=53, version=2, interval=1.0, authentication=PASSWORD)
        far = replace(front, name="far", vrid=54, source=ours, peers=(theirs,))
        wide = replace(front, name="wide", vrid=55)
        others = (old, OLD_VIP), (far, FAR_VIP), (wide, SIX)
        director.others = tuple(replace(one, places=(Place("eth0", vip),)) for one, vip in others)
        director.environment = {"LIBRA_METRICS_PORT": PORT}
        director.write()
    pair.start()
    for vip in (OLD_VIP, FAR_VIP, SIX):
        pair.soon(partial(pair.is_owned_by, "a", vip), f"a alone owns {vip}")
    for director, state in ((pair.a, "master"), (pair.b, "backup")):
        pair.soon(partial(all_are, director, state), f"all are {state}")
    return pair


def all_are(director: "Director", state: str) -> bool:
    """Say whether a director tells that all four routers are in a state."""
    lines = told(director.node).transitions
    return sum(f'state="{state}"}} 1.0' in line and "_state{" in line for line in lines) == 4


def expected(address: IPv4Address) -> Counter[str]:
    """Return what a director is to count of all that is said to it."""
    counts = Counter(f"malformed_{reason}" for reason, _ in wrong_for_routers(address))
    counts.update(what for what, _ in not_for_us(address))
    return counts


def grown(director: "Director", before: Counter[str]) -> Counter[str]:
    """Return what a director has counted since, of what is wrong, unknown or otherwise odd."""
    odd = ("malformed_", "unknown_", "other_", "own_", "sealed_", "leases_")
    now = told(director.node).counts
    return Counter({what: n - before[what] for what, n in now.items() if what.startswith(odd)})


def is_counted_once(director: "Director", before: Told, wanted: Counter[str]) -> None:
    """Wait until all is counted: as often as it was said, and no state was entered."""
    what = f"{director.node.name} has counted it all"
    until(lambda: grown(director, before.counts) >= wanted, PATIENCE, what)
    assert +grown(director, before.counts) == wanted
    assert told(director.node).transitions == before.transitions


def test_wrong_packets_are_counted_once_by_reason_and_change_nothing(many: "Pair") -> None:
    directors = {A: many.a, B: many.b}
    with witness(VIP, [many.a.node, many.b.node], many.client, cables=True) as seen:
        seen_before = {name: told(one.node) for name, one in directors.items()}
        for address, director in directors.items():
            both = [*wrong_for_routers(address), *not_for_us(address)]
            own = [each for _, each in both if not each.destination.is_multicast]
            group = [each for _, each in both if each.destination.is_multicast]
            chosen = own if director is many.b else [*group, *own]
            many.client.call(put, [frame(each, director.mac()) for each in chosen])
        for address, director in directors.items():
            is_counted_once(director, seen_before[address], expected(address))
        assert_nobody_moved(seen, many)
        many.client.call(put, [frame(said(FRONT), "")])
        until(lambda: many.owners() == [], PATIENCE, "a right packet of an owner is obeyed")


def assert_nobody_moved(seen: Witness, many: "Pair") -> None:
    """See that a was and is the master of everything, and b said nothing."""
    assert {(move.name, move.is_held) for move in seen.changes} <= {("a", True)}
    assert {word.name for word in seen.words} == {"a"}
    for vip in (VIP, OLD_VIP, FAR_VIP, SIX):
        assert many.owners(vip) == ["a"]


def put_whole(to: IPv4Address, message: bytes) -> None:
    """Say what the kernel has to cut into fragments."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, PROTOCOL) as raw:
        raw.sendto(message, (str(to), 0))


def test_a_datagram_that_no_socket_takes_whole_is_counted_once_although_two_have_it(
    many: "Pair",
) -> None:
    """It was counted on the socket of the group and on that of the address."""
    before = told(many.a.node)
    many.client.call(put_whole, A, said(FAR, A).message + bytes(LARGEST))
    is_counted_once(many.a, before, Counter(malformed_header=1))
