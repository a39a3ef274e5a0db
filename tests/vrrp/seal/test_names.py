"""What stands for nodes and routers on the wire."""

import hashlib

from libra_vrrp.seal.names import context, router_tag, sender

FRONT = context("front", 51, 4)


def test_names_on_the_wire_are_digests() -> None:
    assert FRONT == b"front\0\x33\x04"
    assert router_tag(FRONT) == hashlib.sha256(b"libra seal 1 router " + FRONT).digest()[:4]
    assert sender("a") == hashlib.sha256(b"libra seal 1 sender a").digest()[:8]
