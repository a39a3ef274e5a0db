"""What comes in is for one router or for none; whatever is wrong is counted and changes nothing."""

import socket
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from tests.vrrp.shell.test_roster import LINK, OWN, Alone, Ground, furnished
from tests.vrrp.shell.test_roster import file as file  # noqa: PLC0414 - a fixture

from libra_vrrp import kept
from libra_vrrp.admission import admit
from libra_vrrp.checksum import internet_checksum
from libra_vrrp.codec import (
    GROUP as GROUPS,
)
from libra_vrrp.codec import (
    Checksum,
    Datagram,
    MalformedAdvertisement,
    Reason,
    decode,
    decode_packet,
    encode_packet,
)
from libra_vrrp.codec.pseudo_header import pseudo_header
from libra_vrrp.interfaces import Interfaces, fold
from libra_vrrp.orders import Channel, Instance, Multicast, Place, Unicast
from libra_vrrp.router import Router, datagrams
from libra_vrrp.rtnetlink import AddressHeld, IpAddress, LinkHeld
from libra_vrrp.seal.names import context, router_tag
from libra_vrrp.shell import ipv4, ipv6
from libra_vrrp.shell.aside import Aside
from libra_vrrp.shell.hearing import hear
from libra_vrrp.shell.link import Link
from libra_vrrp.shell.links import Links
from libra_vrrp.shell.roster import Roster
from libra_vrrp.shell.wire import Heard
from libra_vrrp.states import Backup

OURS, THEIRS, STRANGER = (IPv4Address(f"192.0.2.{host}") for host in (1, 2, 3))
VIP = IPv4Address("192.0.2.10")
LOCAL, NEXT, SIX = (IPv6Address(text) for text in ("fe80::1", "fe80::2", "2001:db8::10"))
FRONT = Instance("front", "eth0", 51, 100, (Place("eth0", VIP),))
BACK = replace(FRONT, name="back", vrid=52)
OLD = replace(FRONT, name="old", vrid=53, version=2, authentication=b"s3cret")
FAR = replace(FRONT, name="far", vrid=54, peers=(THEIRS,), source=OURS)
WIDE = replace(FRONT, name="wide", vrid=55, places=(Place("eth0", SIX),))
GROUP = Multicast("eth0", 4)
ALONE = Unicast(OURS)


@dataclass
class Listening(Ground):
    """A ground that counts, and remembers alarms."""

    counts: Counter[str] = field(default_factory=Counter)
    alarms: list[tuple[str, str, IpAddress | None]] = field(default_factory=list)
    reasons: list[tuple[str, str]] = field(default_factory=list)

    def count(self, name: str) -> None:
        self.counts[name] += 1

    def alarm(
        self, instance: str, kind: str, peer: IpAddress | None, detail: str, reason: str = ""
    ) -> None:
        self.alarms.append((instance, kind, peer))
        self.reasons.append((reason, detail))


class Wired(Link):
    """A socket on which these datagrams wait."""

    def __init__(self, channel: Channel, *waiting: Heard) -> None:
        self.channel = channel
        self._waiting = list(waiting)

    def receive(self) -> list[Heard]:
        return self._waiting


@pytest.fixture
def ground(file: Path) -> Listening:
    """Return a node on which four routers are backups."""
    return listening(file, FRONT, BACK, OLD, FAR)


def listening(file: Path, *orders: Instance) -> Listening:
    known = fold(Interfaces(), [LINK, OWN, AddressHeld(LINK.index, LOCAL, 64)])
    made = Listening(Roster(file, None), claim=Alone(), interfaces=known)
    file.write_bytes(kept.dump_instances(orders))
    made.roster.reload(made, 0.0)
    made.roster.start(made, Links(Aside(), lambda _, __: None, lambda _: None), 0.0)
    assert all(isinstance(one.state, Backup) for one in made.roster)
    return made


def said_by(order: Instance, source: IpAddress = THEIRS, to: IpAddress | None = None) -> Datagram:
    """Return what a master of priority 200 says as router `order`."""
    router = Router(
        order.vrid,
        200,
        source,
        tuple(place.address for place in order.places),
        order.interval,
        version=order.version,
        authentication=order.authentication,
        peers=None if to is None else (to,),
    )
    (said,) = datagrams(router, 200)
    return said


def masters(ground: Listening) -> dict[str, IpAddress | None]:
    """Return whom each router follows."""
    return {
        one.order.name: one.state.master
        for one in ground.roster
        if isinstance(one.state, Backup) and one.state.master is not None
    }


@pytest.mark.parametrize(
    ("channel", "datagram", "who"),
    [
        pytest.param(GROUP, said_by(FRONT), "front", id="version 3"),
        pytest.param(GROUP, said_by(BACK), "back", id="another router of the same socket"),
        pytest.param(GROUP, said_by(OLD), "old", id="version 2, PASS"),
        pytest.param(ALONE, said_by(FAR, to=OURS), "far", id="unicast"),
        pytest.param(
            ALONE, replace(said_by(FAR, to=OURS), hops=62), "far", id="unicast, through routers"
        ),
    ],
)
def test_a_datagram_is_for_one_router(
    ground: Listening, channel: Channel, datagram: Datagram, who: str
) -> None:
    hear(Wired(channel, datagram), ground.roster, ground, 0.5)
    assert masters(ground) == {who: THEIRS}
    assert ground.counts["received"] == 1
    assert ground.alarms == []


def damaged(datagram: Datagram, at: int, value: int) -> Datagram:
    message = bytearray(datagram.message)
    message[at] = value
    return replace(datagram, message=bytes(message))


AUTH = replace(OLD, authentication=b"wrong")
SLOW = replace(OLD, interval=2.0)
CLEAR = replace(OLD, authentication=None)


@pytest.mark.parametrize(
    ("channel", "heard", "reason", "alarm"),
    [
        pytest.param(
            GROUP, Datagram(THEIRS, VIP, b""), Reason.SHORT, "front:malformed", id="nothing"
        ),
        pytest.param(
            GROUP,
            MalformedAdvertisement(Reason.HEADER, "no packet"),
            Reason.HEADER,
            "front:malformed",
            id="no packet at all",
        ),
        pytest.param(
            GROUP, replace(said_by(FRONT), hops=64), Reason.TTL, "front:malformed", id="from afar"
        ),
        pytest.param(
            GROUP, damaged(said_by(FRONT), 0, 0x11), Reason.VERSION, "front:malformed", id="1"
        ),
        pytest.param(
            GROUP,
            said_by(replace(FRONT, version=2)),
            Reason.VERSION,
            "front:malformed",
            id="version 2 for version 3",
        ),
        pytest.param(
            GROUP, damaged(said_by(FRONT), 0, 0x32), Reason.TYPE, "front:malformed", id="type 2"
        ),
        pytest.param(
            GROUP, damaged(said_by(FRONT), 3, 9), Reason.LENGTH, "front:malformed", id="count"
        ),
        pytest.param(
            GROUP, damaged(said_by(FRONT), 6, 0), Reason.CHECKSUM, "front:checksum", id="checksum"
        ),
        pytest.param(GROUP, said_by(AUTH), Reason.AUTH_DATA, "old:auth", id="another password"),
        pytest.param(GROUP, said_by(CLEAR), Reason.AUTH_TYPE, "old:auth", id="no password"),
        pytest.param(GROUP, said_by(SLOW), Reason.INTERVAL, "old:malformed", id="another interval"),
        pytest.param(
            ALONE,
            said_by(FRONT, to=OURS),
            Reason.UNICAST,
            "front:malformed",
            id="to us alone, and we are multicast",
        ),
        pytest.param(
            GROUP,
            said_by(FRONT, to=STRANGER),
            Reason.UNICAST,
            "front:malformed",
            id="to us alone, and nobody of us is unicast there",
        ),
        pytest.param(
            GROUP,
            said_by(FAR),
            Reason.MULTICAST,
            "far:malformed",
            id="to the group, and we are unicast",
        ),
        pytest.param(
            ALONE, said_by(FAR, STRANGER, OURS), Reason.PEER, "far:malformed", id="a stranger"
        ),
    ],
)
def test_what_is_wrong_is_counted_by_its_reason_and_changes_nothing(
    ground: Listening, channel: Channel, heard: Heard, reason: Reason, alarm: str
) -> None:
    before = {one.order.name: one.state for one in ground.roster}
    hear(Wired(channel, heard), ground.roster, ground, 0.5)
    assert {one.order.name: one.state for one in ground.roster} == before
    assert ground.counts[f"malformed_{reason}"] == 1
    who, _, kind = alarm.partition(":")
    assert [(name, of) for name, of, _ in ground.alarms] == [(who, kind)]
    ((word, detail),) = ground.reasons
    assert word == reason
    assert detail.startswith(f"{reason}: ")


def test_what_is_wrong_with_others_is_counted_and_no_alarm(ground: Listening) -> None:
    foreign = said_by(replace(FRONT, vrid=99))
    hear(Wired(GROUP, damaged(foreign, 6, 0), foreign), ground.roster, ground, 0.5)
    assert (ground.counts["malformed_checksum"], ground.counts["unknown_vrid"]) == (1, 1)
    assert (masters(ground), ground.alarms) == ({}, [])


@pytest.mark.parametrize("source", [OURS, OWN.address])
def test_our_own_advert_come_back_is_told_and_dropped(ground: Listening, source: IpAddress) -> None:
    hear(Wired(GROUP, said_by(FRONT, source)), ground.roster, ground, 0.5)
    assert (masters(ground), ground.counts["own_address"]) == ({}, 1)
    assert ground.alarms == [("front", "own-address", source)]


def test_an_owner_that_speaks_from_the_virtual_address_is_no_echo(ground: Listening) -> None:
    """RFC 9568 section 6.1: the address of priority 255 is the owner's own."""
    hear(Wired(GROUP, said_by(FRONT, VIP)), ground.roster, ground, 0.5)
    assert masters(ground) == {"front": VIP}


TO_US = said_by(FAR, to=OURS)


def read(packet: bytes) -> Heard:
    """Return what is heard of a packet."""
    try:
        return decode_packet(packet)
    except MalformedAdvertisement as wrong:
        return wrong


CUT = read(encode_packet(TO_US)[:26])
"""Of a datagram that is larger than what a socket takes."""


@pytest.mark.parametrize(
    ("heard", "what"),
    [
        pytest.param(CUT, "malformed_header", id="too large"),
        pytest.param(TO_US, "checksum_pseudo-header", id="right"),
        pytest.param(damaged(TO_US, 6, 0), "malformed_checksum", id="wrong"),
        pytest.param(replace(TO_US, message=b""), "malformed_short", id="nothing"),
        pytest.param(said_by(FRONT, to=OURS), "malformed_unicast", id="for one of the group"),
        pytest.param(said_by(replace(FAR, vrid=99), to=OURS), "unknown_vrid", id="for nobody"),
        pytest.param(replace(TO_US, message=b"\xf1\0" + bytes(90)), "sealed_unknown", id="sealed"),
    ],
)
def test_a_unicast_datagram_is_counted_once_although_two_sockets_have_it(
    ground: Listening, heard: Heard, what: str
) -> None:
    for channel in (GROUP, ALONE):
        hear(Wired(channel, heard), ground.roster, ground, 0.5)
    assert (ground.counts["received"], ground.counts[what]) == (1, 1)
    assert masters(ground) == ({"far": THEIRS} if heard is TO_US else {})
    assert {peer for _, _, peer in ground.alarms} <= {THEIRS}


def test_what_is_said_to_another_of_our_addresses_is_not_for_who_has_one(
    ground: Listening,
) -> None:
    said = said_by(FAR, to=STRANGER)
    hear(Wired(GROUP, said), ground.roster, ground, 0.5)
    assert (masters(ground), ground.counts["malformed_unicast"]) == ({}, 1)
    assert ground.alarms == [("far", "malformed", THEIRS)]


def test_both_checksums_are_taken_and_counted(ground: Listening) -> None:
    router = Router(51, 200, THEIRS, (VIP,))
    for checksum in Checksum:
        said = datagrams(replace(router, checksum=checksum), 200)
        hear(Wired(GROUP, *said), ground.roster, ground, 0.5)
        assert ground.counts[f"checksum_{checksum}"] == 1
    assert masters(ground) == {"front": THEIRS}


def test_another_list_of_addresses_is_told_and_obeyed(ground: Listening) -> None:
    other = replace(FRONT, places=(Place("eth0", STRANGER),))
    hear(Wired(GROUP, said_by(other)), ground.roster, ground, 0.5)
    assert (masters(ground), ground.counts["other_addresses"]) == ({"front": THEIRS}, 1)


def test_a_link_local_source_may_be_that_of_another_host(file: Path) -> None:
    """Hosts with one MAC on several networks have one link-local address on all."""
    local = IPv6Address("fe80::2")
    six = replace(FRONT, places=(Place("eth0", IPv6Address("2001:db8::10")),))
    other = LinkHeld(3, "eth1", up=True, mac=LINK.mac)
    known = fold(Interfaces(), [LINK, other, AddressHeld(3, local, 64)])
    ground = Listening(Roster(file, None), claim=Alone(), interfaces=known)
    file.write_bytes(kept.dump_instances((six,)))
    ground.roster.reload(ground, 0.0)
    hear(Wired(six.channel, said_by(six, local)), ground.roster, ground, 0.5)
    assert (ground.counts["own_address"], ground.alarms) == (0, [])


TAG = router_tag(context("front", 51, 4))


@pytest.mark.parametrize("message", [b"\xf1\0" + TAG, b"\xf1\0" + TAG + bytes(100)])
def test_a_sealed_datagram_for_a_router_without_a_seal_is_counted_and_no_alarm(
    ground: Listening, message: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = list[bytes]()
    monkeypatch.setattr(ground.seals, "passed_by", lambda tag, _: passed.append(tag))
    hear(Wired(GROUP, Datagram(THEIRS, VIP, message)), ground.roster, ground, 0.5)
    assert (masters(ground), ground.counts["sealed_unknown"], ground.alarms) == ({}, 1, [])
    assert passed == [TAG]


class Waiting:
    """A socket on which one datagram waits, as the kernel hands it out."""

    def __init__(self, datagram: Datagram, packet: bytes) -> None:
        self._datagram, self._packet, self._waits = datagram, packet, True

    def recv(self, _size: int) -> bytes:
        if not self._waits:
            raise BlockingIOError
        self._waits = False
        return self._packet

    def recvmsg(self, size: int, _beside: int) -> tuple[bytes, list[Any], int, tuple[str]]:
        one, level = self._datagram, socket.IPPROTO_IPV6
        info = one.destination.packed + (2).to_bytes(4, sys.byteorder)
        hops = one.hops.to_bytes(4, sys.byteorder)
        beside = [(level, socket.IPV6_PKTINFO, info), (level, socket.IPV6_HOPLIMIT, hops)]
        return self.recv(size), beside, 0, (f"{one.source}%eth0",)


class Raw(Link):
    """The link of a channel, on a socket that was made up."""

    def __init__(self, channel: Channel, waiting: Waiting) -> None:
        self.channel = channel
        self._wire = {4: ipv4.WIRE, 6: ipv6.WIRE}[channel.family]
        self._socket: Any = waiting


VRIDS = st.sampled_from([51, 52, 53, 54, 55, 51, 52, 53, 54, 55, 0, 99])
SOURCES: dict[int, list[IpAddress]] = {4: [THEIRS, OURS, VIP, STRANGER], 6: [NEXT, LOCAL, SIX]}
TO: dict[Channel, list[IpAddress]] = {
    GROUP: [GROUPS[4], OURS, STRANGER],
    ALONE: [OURS],
    Multicast("eth0", 6): [GROUPS[6], LOCAL],
}


@st.composite
def messages(draw: st.DrawFn, family: int, source: IpAddress, to: IpAddress) -> bytes:
    """Draw what is shaped as an advert more or less, and summed right or not."""
    version = draw(st.sampled_from([2, 3, 3, 3, 3, 3, 1]))
    count = draw(st.integers(0, 2))
    head = bytes([version << 4 | draw(st.sampled_from([1, 1, 1, 1, 1, 2])), draw(VRIDS)])
    head += bytes([draw(st.integers(0, 255)), draw(st.sampled_from([count] * 9 + [9]))])
    head += draw(st.sampled_from([b"\0\x64", b"\1\1", b"\0\1"]) | st.binary(min_size=2, max_size=2))
    size = count * (4 if family == 4 else 16)
    body = draw(st.binary(min_size=size, max_size=size))
    body += draw(st.sampled_from([b"s3cret\0\0", bytes(8)])) if version == 2 else b""
    body += draw(st.sampled_from([b"", b"", b"", b"", b"", bytes(4)]))
    bare = head + b"\0\0" + body
    covered = pseudo_header(source, to, len(bare)) if draw(st.booleans()) or family == 6 else b""
    right = internet_checksum(covered + bare).to_bytes(2)
    return head + draw(st.sampled_from([right] * 5 + [b"\0\0"])) + body


@st.composite
def sockets(draw: st.DrawFn) -> tuple[Channel, Datagram, bytes]:
    """Draw on which socket what waits: an advert, more or less, or any bytes."""
    channel = draw(st.sampled_from(list(TO)))
    family = channel.family
    source, to = (draw(st.sampled_from(ends)) for ends in (SOURCES[family], TO[channel]))
    sealed = st.binary(max_size=80).map(lambda rest: b"\xf1" + rest)
    shaped = messages(family, source, to)
    message = draw(st.one_of(*[shaped] * 8, st.binary(max_size=80), sealed))
    datagram = Datagram(source, to, message, draw(st.sampled_from([255] * 9 + [64])))
    if family == 6:
        return channel, datagram, message
    packet = encode_packet(datagram)
    return channel, datagram, draw(st.sampled_from([packet] * 8 + [packet[:24], message]))


OUTCOMES = ("malformed_", "sealed_", "unknown_vrid", "own_address")


@pytest.fixture(scope="module")
def everyone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listening]:
    """Return a node with a router of every kind."""
    with pytest.MonkeyPatch.context() as patch:
        file = furnished(tmp_path_factory.mktemp("hearing"), patch)
        yield listening(file, FRONT, BACK, OLD, FAR, WIDE)


@settings(max_examples=1000)
@given(drawn=sockets())
def test_any_bytes_are_a_right_advert_or_are_counted_once_and_change_nothing(
    everyone: Listening, drawn: tuple[Channel, Datagram, bytes]
) -> None:
    channel, datagram, packet = drawn
    before = {one: one.state for one in everyone.roster}
    everyone.counts.clear()
    hear(Raw(channel, Waiting(datagram, packet)), everyone.roster, everyone, 0.5)
    changed = [one for one in everyone.roster if one.state != before[one]]
    for one, state in before.items():
        one.state = state
    event(", ".join(sorted(what for what in everyone.counts if what.startswith(OUTCOMES))))
    wrong = sum(n for what, n in everyone.counts.items() if what.startswith(OUTCOMES))
    if not everyone.counts:
        assert (channel, datagram.destination, changed) == (GROUP, OURS, [])
    elif wrong:
        assert (everyone.counts["received"], wrong, changed) == (1, 1, [])
    else:
        (one,) = changed
        assert everyone.counts["received"] == 1
        assert one.order.channel == channel
        assert admit(one.router, decode(datagram)).vrid == one.order.vrid
