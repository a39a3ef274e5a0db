"""What is said of one virtual router on a tether, under its keys: HKDF and ChaCha20-Poly1305.

One rule: a derived key is of one connection, one direction and one router; its nonce is the
counter. It imports `cryptography`, 12 MiB: import it late.
"""

from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from libra_vrrp.seal.names import LABEL, router_tag
from libra_vrrp.seal.ring import key_id
from libra_vrrp.tether.channel import Way
from libra_vrrp.tether.message import Sealed, clear

_WHAT: Final = LABEL + b" tether "


@dataclass(frozen=True, slots=True)
class StreamLock:
    """The keys of one router, by its `context`; the first key seals, every one opens."""

    router: bytes
    keys: tuple[bytes, ...] = field(repr=False)
    _ids: dict[bytes, bytes] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Raise `ValueError` without a key."""
        if not self.keys:
            raise ValueError("a lock has at least one key")
        object.__setattr__(self, "_ids", {key_id(key): key for key in reversed(self.keys)})

    def seal(self, way: Way, counter: int, said: bytes) -> Sealed:
        """Hide what is said."""
        bare = Sealed(router_tag(self.router), key_id(self.keys[0]), counter, b"")
        cipher = self._cipher(way, self.keys[0])
        hidden = cipher.encrypt(_nonce(counter), said, clear(bare))
        return Sealed(bare.router, bare.key, counter, hidden)

    def open(self, way: Way, sealed: Sealed) -> bytes | None:
        """Return what was hidden; None where a key is unknown or anything was changed."""
        key = self._ids.get(sealed.key)
        if key is None:
            return None
        try:
            cipher = self._cipher(way, key)
            return cipher.decrypt(_nonce(sealed.counter), sealed.hidden, clear(sealed))
        except InvalidTag:
            return None

    def _cipher(self, way: Way, key: bytes) -> ChaCha20Poly1305:
        ends = b"\0".join((way.source.hex().encode(), way.destination.hex().encode()))
        info = _WHAT + way.speaker.sender + way.hearer.sender + ends + b"\0" + self.router
        salt = way.speaker.nonce + way.hearer.nonce
        return ChaCha20Poly1305(HKDF(SHA256(), 32, salt=salt, info=info).derive(key))


def _nonce(counter: int) -> bytes:
    return counter.to_bytes(12)
