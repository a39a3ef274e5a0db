"""Keys of a virtual router: which one a datagram names, and the cipher of each session.

ChaCha20-Poly1305 (RFC 8439) under keys derived by HKDF (RFC 5869). One rule: a derived key belongs
to one session, whose counter is the nonce. It imports `cryptography`, 12 MiB: import it late.
"""

from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from libra_vrrp.seal.datagram import Header, Session, encode_header
from libra_vrrp.seal.names import LABEL, router_tag

_CACHED: Final = 64


def key_id(key: bytes) -> bytes:
    """Return what stands for a key on the wire."""
    return HKDF(SHA256(), 4, salt=None, info=LABEL + b" key id").derive(key)


@dataclass(frozen=True, slots=True)
class Ring:
    """The keys of one router, by its `context`; the first key seals, every one opens."""

    router: bytes
    keys: tuple[bytes, ...] = field(repr=False)
    _ids: dict[bytes, bytes] = field(init=False, repr=False, compare=False)
    _ciphers: dict[tuple[bytes, Session], ChaCha20Poly1305] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        """Raise `ValueError` without a key."""
        if not self.keys:
            raise ValueError("a ring has at least one key")
        object.__setattr__(self, "_ids", {key_id(key): key for key in reversed(self.keys)})

    def header(self, session: Session, counter: int) -> Header:
        """Return the header of a datagram that is about to be sealed."""
        return Header(router_tag(self.router), key_id(self.keys[0]), session, counter)

    def knows(self, key: bytes) -> bool:
        """Say whether a key id is one of ours."""
        return key in self._ids

    def seal(self, header: Header, source: bytes, plain: bytes) -> bytes:
        """Return the whole datagram as `source`, a packed address, is to send it."""
        clear, cipher = encode_header(header), self._cipher(header)
        self._keep(header, cipher)
        return clear + cipher.encrypt(_nonce(header), plain, clear + source)

    def open(self, header: Header, source: bytes, hidden: bytes) -> bytes | None:
        """Return what was hidden; None where anything was changed or the key is another."""
        cipher = self._cipher(header)
        try:
            plain = cipher.decrypt(_nonce(header), hidden, encode_header(header) + source)
        except InvalidTag:
            return None
        self._keep(header, cipher)
        return plain

    def _cipher(self, header: Header) -> ChaCha20Poly1305:
        known = self._ciphers.get((header.key, header.session))
        if known is not None:
            return known
        one = header.session
        who = b" datagram " + one.sender + one.start.to_bytes(4) + self.router
        derived = HKDF(SHA256(), 32, salt=one.salt, info=LABEL + who)
        return ChaCha20Poly1305(derived.derive(self._ids[header.key]))

    def _keep(self, header: Header, cipher: ChaCha20Poly1305) -> None:
        """Remember the cipher of a session that is real: forgeries find no room here."""
        kept = self._ciphers
        if len(kept) >= _CACHED and (header.key, header.session) not in kept:
            del kept[next(iter(kept))]
        kept[header.key, header.session] = cipher


def _nonce(header: Header) -> bytes:
    return header.counter.to_bytes(12)
