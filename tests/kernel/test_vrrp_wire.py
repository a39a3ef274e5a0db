"""All that two directors send, frame by frame: under a seal nothing of VRRP is in clear.

The same is looked for, and found, where there is no seal.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from tests.kernel.conftest import INTERVAL, SIX, VIP, Director, Pair, number
from tests.kernel.stages import strike
from tests.kernel.wire import Packet, Wire, listening

from libra_schemas.seal_keys import dumps
from libra_vrrp.codec import Advertisement, encode
from libra_vrrp.orders import Place, Seal
from libra_vrrp.seal.datagram import Header, decode, decode_inside, is_sealed
from libra_vrrp.seal.names import context
from libra_vrrp.seal.ring import Ring
from libra_vrrp.tether.ends import Ends
from libra_vrrp.tether.message import Heard, Hello, Plain, Sealed, Standing
from libra_vrrp.tether.message import dumps as stated

pytestmark = pytest.mark.network

KEY = bytes(range(32))
PORT = 9645
OWN = {"a": IPv4Address("192.0.2.1"), "b": IPv4Address("192.0.2.2")}
VRID = 51
NAMES = ("front", "front-ipv6", "both families of front")
RINGS = {
    "vrrp": Ring(context("front", VRID, 4), (KEY,)),
    "vrrp6": Ring(context("front-ipv6", VRID, 6), (KEY,)),
}
EXPECTED = {"vrrp", "vrrp6", "tcp", "arp", "igmp", "icmp6"}
"""All that a director has to send here; the last three are the kernel's, and the announcements of
addresses, which no seal hides (docs/threat-model.md).
"""
HEAD = 6
"""Octets of a VRRP message before its checksum: version and type, vrid, priority, count, interval
(RFC 9568 section 5.2)."""


def prepare(director: Director, key_file: Path | None) -> None:
    """Give a director both families, a tether to the other, and a seal where there is a key."""
    own = director.node.name
    (other,) = OWN.keys() - {own}
    if key_file is not None:
        key_file.touch(mode=0o600)
        key_file.write_text(dumps((KEY,)))
    front = replace(
        director.order,
        group=NAMES[2],
        seal=None if key_file is None else Seal(str(key_file)),
        tether=Ends(OWN[own], PORT, ((other, OWN[other]),)),
    )
    director.order = front
    director.others = (replace(front, name=NAMES[1], places=(Place("eth0", SIX),)),)
    director.write()


@contextmanager
def at_work(pair: Pair, key_file: Path | None) -> Iterator[Wire]:
    """Listen to a pair from before its start on; a is master of both families in the end."""
    number(pair)
    for director in (pair.a, pair.b):
        prepare(director, key_file)
    with listening([pair.a.node, pair.b.node]) as wire:
        pair.start()
        moved_to(pair, "a")
        yield wire


def moved_to(pair: Pair, name: str) -> None:
    """Wait until this one alone has both addresses."""
    for address in (VIP, SIX):
        pair.soon(partial(pair.is_owned_by, name, address), f"{name} alone owns {address}")


def plain_heads() -> set[bytes]:
    """Return how a plain message of either router begins, whatever it says."""
    said = [
        encode(Advertisement(VRID, priority, round(INTERVAL * 100), (address,)), own, group)
        for priority in (150, 100, 255, 0)
        for address, own, group in (
            (VIP, OWN["a"], IPv4Address("224.0.0.18")),
            (SIX, SIX, SIX),
        )
    ]
    return {one[:HEAD] for one in said}


def secrets() -> set[bytes]:
    """Return what nobody is to read in a datagram or on a tether."""
    standings = {
        stated(Standing(priority, own)) for priority in (150, 100, 0) for own in OWN.values()
    }
    return plain_heads() | standings | {VIP.packed, SIX.packed} | {one.encode() for one in NAMES}


def told(packets: list[Packet]) -> set[bytes]:
    """Return which of the secrets these packets tell."""
    return {secret for one in packets for secret in secrets() if secret in one.carried}


def opened(one: Packet) -> tuple[Header, bytes]:
    """Return the header of a sealed datagram, and the message in it."""
    header, hidden = decode(one.carried)
    plain = RINGS[one.kind].open(header, one.source, hidden)
    assert plain is not None
    return header, decode_inside(plain).message


def test_nothing_of_vrrp_is_in_clear_whatever_befalls_two_sealed_directors(
    pair: Pair, tmp_path: Path
) -> None:
    with at_work(pair, tmp_path / "seal.key") as wire:
        pair.a.signal(signal.SIGSTOP, "machine")
        moved_to(pair, "b")
        moved_to(pair, "a")
        pair.a.node.cut(silent=True)
        pair.soon(lambda: pair.b.owns() and pair.b.owns(SIX), "b takes over")
        pair.a.node.heal()
        moved_to(pair, "a")
        strike(pair.a)
        moved_to(pair, "b")
        pair.a.start()
        moved_to(pair, "a")
        pair.a.stop()
        moved_to(pair, "b")
        pair.b.stop()
    assert {one.kind for one in wire.packets} == EXPECTED
    assert told(wire.of("vrrp", "vrrp6", "tcp", "igmp")) == set()
    datagrams = wire.of("vrrp", "vrrp6")
    assert all(is_sealed(one.carried) for one in datagrams)
    said = [(one, *opened(one)) for one in datagrams]
    spoken = {(one.sender, one.kind, message[2]) for one, _, message in said if len(message) > HEAD}
    families = RINGS.keys()
    assert spoken == {
        (name, family, priority)
        for name, priorities in (("a", (150, 0)), ("b", (100, 0)))
        for priority in priorities
        for family in families
    }
    nonces = [(header.key, header.router, header.session, header.counter) for _, header, _ in said]
    assert len(set(nonces)) == len(nonces)
    frames = wire.tethers(PORT)
    assert {type(frame) for frame in frames} == {Hello, Sealed, Heard}


def test_without_a_seal_all_of_that_is_found(pair: Pair) -> None:
    with at_work(pair, None) as wire:
        pair.a.stop()
        moved_to(pair, "b")
    assert {one.kind for one in wire.packets} == EXPECTED
    assert not any(is_sealed(one.carried) for one in wire.of("vrrp", "vrrp6"))
    heads = {head for head in plain_heads() if head[2] != 255}
    assert told(wire.of("vrrp", "vrrp6")) == heads | {VIP.packed, SIX.packed}
    said = {frame.said for frame in wire.tethers(PORT) if isinstance(frame, Plain)}
    assert {stated(Standing(150, OWN["a"])), stated(Standing(100, OWN["b"]))} <= said
    assert told(wire.of("tcp")) >= {stated(Standing(150, OWN["a"]))}
