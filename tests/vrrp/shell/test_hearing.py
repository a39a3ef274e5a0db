"""What comes in is for one router or for none; whatever is wrong is counted and changes nothing."""

from collections import Counter
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pytest
from tests.vrrp.shell.test_roster import LINK, OWN, Alone, Ground
from tests.vrrp.shell.test_roster import file as file  # noqa: PLC0414 - a fixture

from libra_vrrp import kept
from libra_vrrp.codec import Checksum, Datagram, MalformedAdvertisement, Reason
from libra_vrrp.interfaces import Interfaces, fold
from libra_vrrp.orders import Channel, Instance, Multicast, Place, Unicast
from libra_vrrp.router import Router, datagrams
from libra_vrrp.rtnetlink import AddressHeld, IpAddress, LinkHeld
from libra_vrrp.seal.names import context, router_tag
from libra_vrrp.shell.aside import Aside
from libra_vrrp.shell.hearing import hear
from libra_vrrp.shell.link import Link
from libra_vrrp.shell.links import Links
from libra_vrrp.shell.roster import Roster
from libra_vrrp.shell.wire import Heard
from libra_vrrp.states import Backup

OURS, THEIRS, STRANGER = (IPv4Address(f"192.0.2.{host}") for host in (1, 2, 3))
VIP = IPv4Address("192.0.2.10")
FRONT = Instance("front", "eth0", 51, 100, (Place("eth0", VIP),))
BACK = replace(FRONT, name="back", vrid=52)
OLD = replace(FRONT, name="old", vrid=53, version=2, authentication=b"s3cret")
FAR = replace(FRONT, name="far", vrid=54, peers=(THEIRS,), source=OURS)
GROUP = Multicast("eth0", 4)
ALONE = Unicast(OURS)


@dataclass
class Listening(Ground):
    """A ground that counts, and remembers alarms."""

    counts: Counter[str] = field(default_factory=Counter)
    alarms: list[tuple[str, str, IpAddress | None]] = field(default_factory=list)

    def count(self, name: str) -> None:
        self.counts[name] += 1

    def alarm(self, instance: str, kind: str, peer: IpAddress | None, detail: str) -> None:  # noqa: ARG002 - detail
        self.alarms.append((instance, kind, peer))


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
    made = Listening(Roster(file, None), claim=Alone())
    file.write_bytes(kept.dump_instances((FRONT, BACK, OLD, FAR)))
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
            GROUP,
            said_by(FRONT, to=OURS),
            Reason.UNICAST,
            "front:malformed",
            id="to us alone, and we are multicast",
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


def test_a_unicast_datagram_is_heard_once_although_two_sockets_have_it(ground: Listening) -> None:
    said = said_by(FAR, to=OURS)
    for channel in (GROUP, ALONE):
        hear(Wired(channel, said), ground.roster, ground, 0.5)
    assert masters(ground) == {"far": THEIRS}
    assert ground.alarms == []


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
