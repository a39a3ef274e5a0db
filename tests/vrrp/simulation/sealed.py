"""The seals of a host of the simulation: production's, but for the disks, which are in memory."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast
from unittest.mock import patch

from libra_vrrp.codec import Datagram
from libra_vrrp.orders import Instance
from libra_vrrp.seal.outcome import Opened, Outcome
from libra_vrrp.shell import seals, starts
from libra_vrrp.shell.seals import Seals

if TYPE_CHECKING:
    from libra_vrrp.shell.aside import Aside

T = TypeVar("T")

KEY_FILE = "/etc/libra/seal.key"
KEY = bytes(range(32))
Told = Callable[[str, Datagram, float], None]


class AtOnce:
    """Stands for `Aside`: the disks of the simulation keep nobody waiting."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock

    def do(self, call: Callable[[], T], then: Callable[[T | OSError, float], None]) -> None:
        then(call(), self._clock())


class Sealed(Seals):
    """Seals of a `node`; `opened` hears of every VRRP message that a fresh datagram hid."""

    def __init__(
        self,
        node: str,
        told: seals.Told,
        changed: Callable[[float], None],
        opened: Told,
        clock: Callable[[], float],
    ) -> None:
        super().__init__(Path(f"/{node}/starts.json"), told, lambda *_: None, changed)
        self._node, self._opened, self._clock = node, opened, clock

    def open(self, order: Instance, datagram: Datagram, now: float) -> Outcome | None:
        outcome = super().open(order, datagram, now)
        if isinstance(outcome, Opened) and outcome.message:
            hidden = Datagram(datagram.source, datagram.destination, outcome.message, datagram.hops)
            self._opened(order.name, hidden, now)
        return outcome

    def _thread(self) -> "Aside":
        return cast("Aside", AtOnce(self._clock))


@contextmanager
def on_disks_of_its_own() -> Iterator[None]:
    """Let every host keep its starts in memory, and read the one key."""
    disks: dict[Path, bytes] = {}
    with (
        patch.object(starts, "keep", disks.__setitem__),
        patch.object(starts, "kept", disks.get),
        patch.object(seals, "read_keys", lambda _: (KEY,)),
        patch.object(seals, "log", lambda *_, **__: None),
        patch.object(gc, "freeze", lambda: None),
    ):
        yield
