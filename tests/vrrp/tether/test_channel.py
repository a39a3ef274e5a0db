"""Two ends of a connection, wired back to back: what they believe of each other."""

from contextlib import suppress
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_vrrp.seal.names import context, router_tag, sender
from libra_vrrp.seal.stream import StreamLock
from libra_vrrp.tether import message
from libra_vrrp.tether.channel import (
    Channel,
    Greeted,
    Noted,
    Protection,
    Refused,
    Routers,
    Told,
    Word,
    hear,
    say,
)
from libra_vrrp.tether.message import (
    Bye,
    Heard,
    Hello,
    MalformedTether,
    Plain,
    Said,
    Standing,
    dumps,
    encode,
)

A, B = IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2")
FRONT, BACK = context("front", 51, 4), context("back", 52, 4)
TAG, OTHER = router_tag(FRONT), router_tag(BACK)
KEY, NEW = bytes(32), bytes(range(32))
STANDING = Standing(150, A)
PLAIN = {TAG: Protection()}


def sealed(*keys: bytes, required: bool = True) -> Routers:
    return {TAG: Protection(StreamLock(FRONT, keys), required)}


@dataclass
class End:
    """One end, with what it heard."""

    channel: Channel
    routers: Routers
    words: list[Word] = field(default_factory=list)

    def take(self, octets: bytes) -> list[Word]:
        self.channel, words = hear(self.channel, self.routers, octets)
        self.words += words
        return list(words)

    def say(self, said: Said, router: bytes = TAG) -> bytes:
        self.channel, octets = say(self.channel, self.routers, router, said)
        return octets


def pair(ours: Routers, theirs: Routers) -> tuple[End, End]:
    """Return two ends that have greeted."""
    hello_a, hello_b = Hello(sender("a"), b"a" * 16), Hello(sender("b"), b"b" * 16)
    a = End(Channel(hello_a, sender("b"), A.packed, B.packed), ours)
    b = End(Channel(hello_b, sender("a"), B.packed, A.packed), theirs)
    assert a.take(encode(hello_b)) == [Greeted()]
    assert b.take(encode(hello_a)) == [Greeted()]
    return a, b


@pytest.mark.parametrize("routers", [PLAIN, sealed(KEY), sealed(KEY, required=False)])
@pytest.mark.parametrize("said", [STANDING, Bye(1)])
def test_what_one_says_the_other_hears(routers: Routers, said: Said) -> None:
    a, b = pair(routers, routers)
    assert set(b.take(a.say(said))) == {Told(TAG, said)}
    assert b.take(encode(Heard())) == [Noted()]


def test_nothing_is_said_before_the_other_end_has_greeted() -> None:
    a, _ = pair(PLAIN, PLAIN)
    a.channel = replace(a.channel, theirs=None)
    assert a.say(STANDING) == b""


@given(st.data())
def test_it_may_come_in_any_pieces(data: st.DataObject) -> None:
    a, b = pair(sealed(KEY), sealed(KEY))
    octets = b"".join(a.say(Standing(n, A)) for n in range(3))
    while octets:
        cut = data.draw(st.integers(1, len(octets)))
        b.take(octets[:cut])
        octets = octets[cut:]
    assert b.words[1:] == [Told(TAG, Standing(n, A)) for n in range(3)]


def test_under_a_seal_nothing_of_it_is_in_clear() -> None:
    a, _ = pair(sealed(KEY), PLAIN)
    assert dumps(STANDING) not in a.say(STANDING)


def test_in_clear_is_not_enough_where_a_seal_is_required() -> None:
    a, b = pair(PLAIN, sealed(KEY))
    assert b.take(a.say(STANDING)) == [Refused(TAG)]


def test_on_the_way_from_plain_to_sealed_everyone_understands() -> None:
    both = sealed(KEY, required=False)
    for ours, theirs in ((PLAIN, both), (both, PLAIN), (both, sealed(KEY)), (sealed(KEY), both)):
        a, b = pair(ours, theirs)
        assert Told(TAG, STANDING) in b.take(a.say(STANDING))


def test_another_key_is_another_cluster_and_the_second_key_is_good_too() -> None:
    a, b = pair(sealed(KEY), sealed(NEW))
    assert b.take(a.say(STANDING)) == [Refused(TAG)]
    a, b = pair(sealed(KEY), sealed(NEW, KEY))
    assert b.take(a.say(STANDING)) == [Told(TAG, STANDING)]


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_what_was_changed_on_the_way_is_not_heard(at: int, by: int) -> None:
    a, b = pair(sealed(KEY), sealed(KEY))
    octets = bytearray(a.say(STANDING))
    octets[at % len(octets)] ^= by
    with suppress(MalformedTether):
        assert not any(isinstance(word, Told) for word in b.take(bytes(octets)))


def test_what_was_said_once_is_not_heard_again_nor_in_another_connection_or_direction() -> None:
    a, b = pair(sealed(KEY), sealed(KEY))
    octets = a.say(STANDING)
    assert b.take(octets + octets) == [Told(TAG, STANDING), Refused(TAG)]
    assert a.take(octets) == [Refused(TAG)]
    _, later = pair(sealed(KEY), sealed(KEY))
    later.channel = replace(later.channel, own=Hello(sender("b"), b"c" * 16))
    assert later.take(octets) == [Refused(TAG)]


def test_what_was_said_under_another_address_is_not_heard() -> None:
    a, b = pair(sealed(KEY), sealed(KEY))
    b.channel = replace(b.channel, there=IPv4Address("10.0.0.9").packed)
    assert b.take(a.say(STANDING)) == [Refused(TAG)]


def test_a_router_that_is_not_shared_is_none_of_our_business() -> None:
    a, b = pair(sealed(KEY), {OTHER: Protection()})
    assert b.take(a.say(STANDING) + encode(Plain(TAG, b"\x02\x01"))) == []
    c, d = pair(sealed(KEY), PLAIN)
    assert d.take(c.say(STANDING)) == []


def test_no_key_says_two_things_with_one_counter() -> None:
    a, b = pair(sealed(KEY), sealed(KEY))
    a.channel = replace(a.channel, spent=(1 << 32) - 1)
    assert b.take(a.say(STANDING)) == [Told(TAG, STANDING)]
    assert a.say(STANDING) == b""


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(Hello(sender("c"), b"b" * 16), id="another node"),
        pytest.param(Hello(sender("b"), b"a" * 16), id="our own octets"),
        pytest.param(Heard(), id="no greeting"),
        pytest.param(Plain(TAG, b"\x02\x01"), id="no greeting either"),
    ],
)
def test_who_does_not_greet_as_the_node_that_is_expected_is_not_listened_to(
    first: message.Frame,
) -> None:
    a, _ = pair(PLAIN, PLAIN)
    a.channel = replace(a.channel, theirs=None)
    with pytest.raises(MalformedTether):
        a.take(encode(first))


def test_nobody_greets_twice_or_says_what_makes_no_sense() -> None:
    a, b = pair(PLAIN, PLAIN)
    with pytest.raises(MalformedTether):
        a.take(encode(b.channel.own))
    with pytest.raises(MalformedTether):
        a.take(encode(Plain(TAG, b"\x09\x09")))
