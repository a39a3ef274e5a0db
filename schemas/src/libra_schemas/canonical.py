"""Canonical JSON and the digests made of it: the same bytes on every node.

Rule: sorted keys, no white space, UTF-8, no NaN (RFC 8785 for the values that occur here:
objects, arrays, strings, integers, booleans and short decimals).
"""

import json
from hashlib import sha256
from typing import Any


def canonical(value: Any) -> bytes:
    """Encode *value* as canonical JSON; raise ValueError for what JSON cannot say."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def digest(value: Any) -> str:
    """Digest *value*: lowercase hex SHA-256 of its canonical JSON."""
    return sha256(canonical(value)).hexdigest()
