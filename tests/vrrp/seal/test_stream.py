"""What tethers say under seal, against HKDF written down from RFC 5869."""

import hashlib
import hmac
from ipaddress import IPv4Address

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from libra_vrrp.seal.names import context, router_tag, sender
from libra_vrrp.seal.ring import key_id
from libra_vrrp.seal.stream import StreamLock
from libra_vrrp.tether.channel import Way
from libra_vrrp.tether.message import Hello, Sealed, clear

KEY, OTHER = bytes(range(32)), bytes(range(32, 64))
FRONT = context("front", 51, 4)
A, B = IPv4Address("10.0.0.1").packed, IPv4Address("10.0.0.2").packed
WAY = Way(Hello(sender("a"), b"a" * 16), Hello(sender("b"), b"b" * 16), A, B)


def hkdf(key: bytes, salt: bytes, info: bytes) -> bytes:
    """RFC 5869 with SHA-256, one block."""
    extracted = hmac.new(salt, key, hashlib.sha256).digest()
    return hmac.new(extracted, info + b"\1", hashlib.sha256).digest()


def test_it_is_sealed_as_the_decision_says() -> None:
    info = b"libra seal 1 tether " + sender("a") + sender("b") + b"0a000001\x000a000002\0" + FRONT
    cipher = ChaCha20Poly1305(hkdf(KEY, b"a" * 16 + b"b" * 16, info))
    head = clear(Sealed(router_tag(FRONT), key_id(KEY), 258, b""))
    hidden = cipher.encrypt(bytes(10) + b"\x01\x02", b"plain", head)
    sealed = Sealed(router_tag(FRONT), key_id(KEY), 258, hidden)
    assert StreamLock(FRONT, (KEY,)).seal(WAY, 258, b"plain") == sealed
    assert StreamLock(FRONT, (OTHER, KEY)).open(WAY, sealed) == b"plain"


def test_no_other_key_or_router_opens_it() -> None:
    sealed = StreamLock(FRONT, (KEY,)).seal(WAY, 0, b"plain")
    assert StreamLock(FRONT, (OTHER,)).open(WAY, sealed) is None
    assert StreamLock(context("back", 52, 4), (KEY,)).open(WAY, sealed) is None


def test_a_lock_without_a_key_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="at least one key"):
        StreamLock(FRONT, ())
