"""What stands for nodes and virtual routers on the wire (ADR 12): digests, so that nobody reads it.

One rule: nothing here knows a key, nor imports `cryptography`.
"""

import hashlib
from typing import Final

LABEL: Final = b"libra seal 1"


def context(instance: str, vrid: int, family: int) -> bytes:
    """Return what tells a virtual router from every other; `family` is 4 or 6."""
    return b"\0".join((instance.encode(), bytes((vrid, family))))


def sender(node: str) -> bytes:
    """Return what stands for a node on the wire."""
    return hashlib.sha256(LABEL + b" sender " + node.encode()).digest()[:8]


def router_tag(router: bytes) -> bytes:
    """Return what stands for a virtual router, by its `context`, on the wire."""
    return hashlib.sha256(LABEL + b" router " + router).digest()[:4]
