"""The nkey of every NATS user of a node: one seed file each, made once."""

import os
from base64 import b32encode
from collections.abc import Iterable
from pathlib import Path

from libra_runtime.kept import keep, kept

_PREFIX_SEED = 18 << 3
_PREFIX_USER = 20 << 3


def ensure_seeds(directory: Path, users: Iterable[str]) -> dict[str, str]:
    """Make the missing `<user>.seed` files (0600) in *directory*; return user -> public nkey.

    Raise ValueError where one is there that is none.
    """
    return {user: _public(directory / f"{user}.seed") for user in users}


def public_nkey(seed: bytes) -> str:
    """Derive the public nkey (`U...`) of a user's seed; raise ValueError where it is none."""
    import nkeys  # noqa: PLC0415 - PyNaCl; only key handling pays for it

    try:
        public: bytes = nkeys.from_seed(bytearray(seed.strip())).public_key
    except nkeys.NkeysError as error:
        raise ValueError(f"this is no nkey seed of a user: {error}") from None
    return public.decode()


def new_seed() -> bytes:
    """Make the seed of a user's nkey (NATS ADR-14: prefix, 32 random bytes, CRC-16, base32)."""
    raw = bytes([_PREFIX_SEED | _PREFIX_USER >> 5, (_PREFIX_USER & 31) << 3]) + os.urandom(32)
    return b32encode(raw + _crc16(raw).to_bytes(2, "little")).rstrip(b"=")


def _public(path: Path) -> str:
    seed = _ensure(path)
    try:
        return public_nkey(seed)
    except ValueError as error:
        raise ValueError(f"{path}: {error}; remove it, a new one is made") from None


def _ensure(path: Path) -> bytes:
    seed = kept(path)
    if seed is None:
        seed = new_seed()
        keep(path, seed + b"\n")
    return seed


def _crc16(data: bytes) -> int:
    """CRC-16/XMODEM, as nkeys uses it."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x1021 if crc & 0x8000 else 0)) & 0xFFFF
    return crc
