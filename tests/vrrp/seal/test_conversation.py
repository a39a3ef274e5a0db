"""A sealed conversation: what is said when, and why each kind of wrong datagram is dropped."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_vrrp.seal.conversation import Conversation, begin, retime, unwrap, wrap
from libra_vrrp.seal.datagram import Inside, Session, decode, encode_inside
from libra_vrrp.seal.names import context, sender
from libra_vrrp.seal.outcome import Dropped, Opened, Outcome, Reason
from libra_vrrp.seal.ring import Ring

KEY, OTHER = bytes(range(32)), bytes(range(32, 64))
RING = Ring(context("front", 51, 4), (KEY,))
A, B = bytes([10, 0, 0, 2]), bytes([10, 0, 0, 3])
MESSAGE = b"\x31\x33\x96\x01"


class Talker:
    """A conversation with its ring; challenges count up, so that a test can name them."""

    def __init__(self, node: str, source: bytes, ring: Ring = RING, salt: int = 0) -> None:
        own = Session(sender(node), 7, bytes([salt]) * 16)
        self.talk: Conversation = begin(own, 1.0, 0.0)
        self.ring, self.source, self.said = ring, source, 0

    def says(self, message: bytes = b"", now: float = 0.0) -> bytes:
        self.said += 1
        challenge = self.source + self.said.to_bytes(4)
        self.talk, datagram = wrap(self.talk, self.ring, self.source, message, challenge, now)
        return datagram

    def hears(self, datagram: bytes, source: bytes, now: float = 0.0) -> Outcome:
        self.talk, outcome = unwrap(self.talk, self.ring, source, datagram, lambda _: 0, now)
        return outcome


@pytest.fixture
def pair() -> tuple[Talker, Talker]:
    """Return two that know each other."""
    a, b = Talker("a", A), Talker("b", B)
    a.hears(b.says(), B)
    b.hears(a.says(), A)
    a.hears(b.says(), B)
    return a, b


def test_two_strangers_believe_each_other_after_one_round() -> None:
    a, b = Talker("a", A), Talker("b", B)
    assert a.hears(b.says(), B) == Dropped(Reason.UNANSWERED, hurry=True)
    assert b.hears(a.says(MESSAGE), A) == Opened(
        MESSAGE, a.talk.own, is_first_proof=True, hurry=True
    )
    assert a.hears(b.says(), B) == Opened(b"", b.talk.own, is_first_proof=True, hurry=False)


def test_an_advert_that_nobody_answered_yet_has_no_effect(pair: tuple[Talker, Talker]) -> None:
    newcomer = Talker("c", B)
    assert newcomer.hears(pair[0].says(MESSAGE), A) == Dropped(Reason.UNANSWERED, hurry=True)


def test_newcomers_cannot_make_us_talk_without_end() -> None:
    a = Talker("a", A)
    strangers = [Talker("b", B, salt=salt) for salt in range(100)]
    hurried = [a.hears(one.says(), B, now=n / 100).hurry for n, one in enumerate(strangers)]
    assert sum(hurried) == 4


def test_challenges_change_once_in_an_interval_and_ride_on_adverts() -> None:
    a = Talker("a", A)
    said = []
    for now in (0.0, 0.1, 0.49, 0.999, 1.2, 1.999):
        a.says(MESSAGE, now)
        said.append((a.talk.hearing.issued, a.talk.due_at))
    assert said == [(1, 1.0), (1, 1.0), (1, 1.0), (2, 1.999), (2, 1.999), (3, 2.999)]


def test_the_first_datagram_challenges_even_before_its_time() -> None:
    a = Talker("a", A)
    a.says(MESSAGE, now=-10.0)
    assert (a.talk.hearing.issued, a.talk.due_at) == (1, -9.0)


def test_the_shortest_interval_does_not_ask_more_than_twenty_times_a_second() -> None:
    quick = begin(Session(sender("a"), 1, bytes(16)), 0.01, 0.0)
    assert quick.period == 0.05
    assert retime(quick, 0.2).period == 0.2
    assert retime(quick, 0.01) == quick


@given(st.lists(st.booleans(), min_size=1, max_size=50))
def test_no_counter_is_spent_twice(adverts: list[bool]) -> None:
    a = Talker("a", A)
    said = [a.says(MESSAGE if one else b"", now) for now, one in enumerate(adverts)]
    assert [decode(one)[0].counter for one in said] == list(range(len(adverts)))


def test_a_session_ends_before_its_counters_repeat() -> None:
    a = Talker("a", A)
    a.talk = replace(a.talk, counter=2**64 - 1)
    assert decode(a.says())[0].counter == 2**64 - 1
    with pytest.raises(OverflowError, match="spent"):
        a.says()


def resealed(plain: bytes) -> Callable[[Talker], bytes]:
    """Seal anything at all with the right key."""

    def seal(a: Talker) -> bytes:
        return a.ring.seal(a.ring.header(a.talk.own, 100), A, plain)

    return seal


def with_key(*keys: bytes) -> Callable[[Talker], bytes]:
    def seal(a: Talker) -> bytes:
        ring = Ring(RING.router, keys)
        return ring.seal(ring.header(a.talk.own, 100), A, encode_inside(Inside(bytes(8))))

    return seal


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        pytest.param(lambda a: a.says()[:72], Reason.TRUNCATED, id="too short for any"),
        pytest.param(lambda a: a.says()[:-1], Reason.FORGED, id="cut"),
        pytest.param(lambda a: a.says() + b"\0", Reason.FORGED, id="too long"),
        pytest.param(with_key(OTHER), Reason.KEY, id="another key"),
        pytest.param(
            resealed(bytes(8) + b"\x21" + bytes(10)),
            Reason.CONTENT,
            id="nonsense under the right key",
        ),
    ],
)
def test_what_is_wrong_is_dropped_for_its_reason(
    pair: tuple[Talker, Talker], made: Callable[[Talker], bytes], reason: Reason
) -> None:
    a, b = pair
    datagram = made(a)
    before = b.talk
    assert b.hears(datagram, A) == Dropped(reason)
    assert b.talk == before


def test_a_datagram_that_says_it_is_from_elsewhere_is_forged(pair: tuple[Talker, Talker]) -> None:
    assert pair[1].hears(pair[0].says(MESSAGE), bytes([10, 0, 0, 9])) == Dropped(Reason.FORGED)


def test_our_own_datagram_reflected_is_ours(pair: tuple[Talker, Talker]) -> None:
    assert pair[0].hears(pair[0].says(MESSAGE), A) == Dropped(Reason.OWN)


def test_another_node_of_our_name_is_told(pair: tuple[Talker, Talker]) -> None:
    twin = Talker("a", B, salt=9)
    assert pair[0].hears(twin.says(MESSAGE), B) == Dropped(Reason.NAMESAKE)


def test_a_key_is_rolled_without_a_datagram_lost(pair: tuple[Talker, Talker]) -> None:
    """Every step reaches the two one after the other, and they hear each other throughout."""
    a, b = pair
    steps = [(KEY, OTHER), (OTHER, KEY), (OTHER,)]
    now = 0.0
    for keys in steps:
        for who in (a, b):
            who.ring = Ring(RING.router, keys)
            for speaker, hearer in ((a, b), (b, a)):
                now += 0.5
                heard = hearer.hears(speaker.says(MESSAGE, now), speaker.source, now)
                assert isinstance(heard, Opened)
                assert not heard.is_first_proof
    assert decode(a.says())[0].key == Ring(RING.router, (OTHER,)).header(a.talk.own, 0).key


@given(st.binary(max_size=200))
def test_any_bytes_are_dropped_and_change_nothing(some: bytes) -> None:
    b = Talker("b", B)
    before = b.talk
    assert b.hears(b"\xf1\0" + some, A) in (
        Dropped(Reason.TRUNCATED),
        Dropped(Reason.KEY),
        Dropped(Reason.FORGED),
    )
    assert b.talk == before
