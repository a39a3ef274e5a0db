"""The sealed conversation of one virtual router. It imports `cryptography`: import it late."""

import os
from collections.abc import Callable
from functools import lru_cache

from libra_vrrp.codec import Datagram
from libra_vrrp.orders import Instance
from libra_vrrp.seal.conversation import begin, retime, unwrap, wrap
from libra_vrrp.seal.datagram import CHALLENGE, Session
from libra_vrrp.seal.names import context, router_tag, sender
from libra_vrrp.seal.outcome import Outcome
from libra_vrrp.seal.ring import Ring
from libra_vrrp.seal.stream import StreamLock

_SALT = 16


@lru_cache(maxsize=256)
def stream_lock(name: str, vrid: int, family: int, keys: tuple[bytes, ...]) -> StreamLock:
    """Return what hides what tethers say of a virtual router."""
    return StreamLock(context(name, vrid, family), keys)


class Sealing:
    """What one router says and hears under its seal; every one has a session of its own."""

    def __init__(
        self, order: Instance, node: str, start: int, keys: tuple[bytes, ...], now: float
    ) -> None:
        self._router = context(order.name, order.vrid, order.family)
        own = Session(sender(node), start, os.urandom(_SALT))
        self._talk = begin(own, order.interval, now)
        self._ring = Ring(self._router, keys)
        self.tag = router_tag(self._router)

    def is_of(self, order: Instance) -> bool:
        """Say whether it is the conversation of this very router."""
        return self._router == context(order.name, order.vrid, order.family)

    @property
    def due_at(self) -> float:
        """Return when the next challenge is due."""
        return self._talk.due_at

    def renew(self, interval: float, keys: tuple[bytes, ...]) -> None:
        """Go on with another interval, or other keys."""
        self._talk = retime(self._talk, interval)
        if keys != self._ring.keys:
            self._ring = Ring(self._router, keys)

    def seal(self, datagram: Datagram, now: float) -> Datagram:
        """Return a datagram with its message under seal."""
        source, fresh = datagram.source.packed, os.urandom(CHALLENGE)
        self._talk, sealed = wrap(self._talk, self._ring, source, datagram.message, fresh, now)
        return Datagram(datagram.source, datagram.destination, sealed, datagram.hops)

    def open(self, datagram: Datagram, highest: Callable[[bytes], int], now: float) -> Outcome:
        """Return what became of a sealed datagram."""
        source, message = datagram.source.packed, datagram.message
        self._talk, outcome = unwrap(self._talk, self._ring, source, message, highest, now)
        return outcome
