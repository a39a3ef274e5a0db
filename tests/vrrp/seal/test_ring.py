"""Keys and ciphers, against HKDF written down from RFC 5869."""

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given
from hypothesis import strategies as st

from libra_vrrp.seal.datagram import Header, Session, encode_header
from libra_vrrp.seal.names import context, router_tag, sender
from libra_vrrp.seal.ring import Ring, key_id

KEY, OTHER = bytes(range(32)), bytes(range(32, 64))
FRONT = context("front", 51, 4)
SESSION = Session(sender("a"), 7, bytes(16))
SOURCE = bytes([10, 0, 0, 2])


def hkdf(key: bytes, length: int, salt: bytes, info: bytes) -> bytes:
    """RFC 5869 with SHA-256, one block."""
    extracted = hmac.new(salt or bytes(32), key, hashlib.sha256).digest()
    return hmac.new(extracted, info + b"\1", hashlib.sha256).digest()[:length]


def test_a_key_is_named_by_a_digest() -> None:
    assert key_id(KEY) == hkdf(KEY, 4, b"", b"libra seal 1 key id")


def test_a_datagram_is_sealed_as_the_decision_says() -> None:
    ring = Ring(FRONT, (KEY,))
    header = ring.header(SESSION, 258)
    assert header == Header(router_tag(FRONT), key_id(KEY), SESSION, 258)
    info = b"libra seal 1 datagram " + SESSION.sender + b"\0\0\0\x07" + FRONT
    cipher = ChaCha20Poly1305(hkdf(KEY, 32, SESSION.salt, info))
    clear = encode_header(header)
    expected = clear + cipher.encrypt(bytes(10) + b"\x01\x02", b"plain", clear + SOURCE)
    assert ring.seal(header, SOURCE, b"plain") == expected


@given(st.binary(max_size=100), st.integers(0, 2**64 - 1))
def test_what_one_seals_another_opens(plain: bytes, counter: int) -> None:
    ours, theirs = Ring(FRONT, (KEY,)), Ring(FRONT, (OTHER, KEY))
    header = ours.header(SESSION, counter)
    hidden = ours.seal(header, SOURCE, plain)[48:]
    assert theirs.open(header, SOURCE, hidden) == plain
    assert theirs.open(header, bytes([10, 0, 0, 3]), hidden) is None


def test_the_first_key_seals_and_every_key_opens() -> None:
    before, rolling, after = Ring(FRONT, (KEY,)), Ring(FRONT, (OTHER, KEY)), Ring(FRONT, (OTHER,))
    header = rolling.header(SESSION, 0)
    assert header.key == key_id(OTHER)
    assert after.open(header, SOURCE, rolling.seal(header, SOURCE, b"new")[48:]) == b"new"
    old = before.header(SESSION, 0)
    assert rolling.knows(old.key)
    assert rolling.open(old, SOURCE, before.seal(old, SOURCE, b"old")[48:]) == b"old"
    assert not before.knows(header.key)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(context("back", 51, 4), id="another instance"),
        pytest.param(context("front", 52, 4), id="another vrid"),
        pytest.param(context("front", 51, 6), id="the other family"),
    ],
)
def test_a_datagram_of_another_router_is_not_opened(other: bytes) -> None:
    ring = Ring(FRONT, (KEY,))
    header = ring.header(SESSION, 0)
    hidden = ring.seal(header, SOURCE, b"plain")[48:]
    assert Ring(other, (KEY,)).open(header, SOURCE, hidden) is None
    assert router_tag(other) != router_tag(FRONT)


def test_a_flood_of_sessions_leaves_the_cache_bounded_and_right() -> None:
    ours, theirs = Ring(FRONT, (KEY,)), Ring(FRONT, (KEY,))
    for start in range(200):
        header = ours.header(Session(sender("a"), start, bytes(16)), start)
        hidden = ours.seal(header, SOURCE, b"plain")[48:]
        assert theirs.open(header, SOURCE, hidden) == b"plain"
        assert theirs.open(header, SOURCE, hidden) == b"plain"
    assert len(theirs._ciphers) == 64


def test_forgeries_find_no_room_in_the_cache() -> None:
    ring = Ring(FRONT, (KEY,))
    for start in range(10):
        header = ring.header(Session(sender("a"), start, bytes(16)), 0)
        assert ring.open(header, SOURCE, bytes(40)) is None
    assert len(ring._ciphers) == 0


def test_a_ring_without_a_key_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="at least one key"):
        Ring(FRONT, ())


def test_a_ring_does_not_show_its_keys() -> None:
    assert repr(Ring(FRONT, (KEY,))) == f"Ring(router={FRONT!r})"
