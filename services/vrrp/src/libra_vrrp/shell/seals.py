"""The seals of a node: key files, the state file, and one conversation per sealed router.

It reads disks, and imports `cryptography` with the first seal, aside. One rule: a router whose seal
cannot be used says nothing at all, least of all in clear.
"""

import gc
import os
from collections.abc import Callable, Iterable
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final, Protocol

from libra_vrrp.codec import Datagram
from libra_vrrp.orders import Instance
from libra_vrrp.rtnetlink import IpAddress
from libra_vrrp.seal import coming
from libra_vrrp.seal.coming import Change, Coming
from libra_vrrp.seal.outcome import Opened, Outcome
from libra_vrrp.shell.aside import Aside
from libra_vrrp.shell.key_file import Unusable, read_keys
from libra_vrrp.shell.say import log
from libra_vrrp.shell.starts import Book
from libra_vrrp.tether.channel import Lock

if TYPE_CHECKING:
    from libra_vrrp.shell.sealing import Sealing

LOOK: Final = 1.0
"""Seconds between two looks at the key files."""
_LOST = "a node counts its starts anew: its state file was lost"


class Told(Protocol):
    """Who hears of alarms: the machine."""

    def alarm(
        self, instance: str, kind: str, peer: IpAddress | None, detail: str, reason: str = ""
    ) -> None:
        """Raise an alarm, limited in rate by kind, reason and peer."""


class Seals:
    """Nothing is done before an order has a seal.

    `file` is the state file. `wait(descriptor, act)` turns the loop for the threads at
    the disks; `changed(now)` hears of keys and of our start.
    """

    def __init__(
        self,
        file: Path,
        told: Told,
        wait: Callable[[int, Callable[[float], None]], None],
        changed: Callable[[float], None],
    ) -> None:
        self._node, self._file, self._told = os.environ.get("LIBRA_NODE", ""), file, told
        self._wait, self._changed = wait, changed
        self._reader: Aside | None = None
        self._book: Book | None = None
        self._begin: type[Sealing] | None = None
        self._stream_lock: Callable[[str, int, int, tuple[bytes, ...]], Lock] | None = None
        self._orders: dict[str, Instance] = {}
        self._coming = Coming()
        self._sealings: dict[str, Sealing] = {}
        self._keys: dict[str, tuple[bytes, ...]] = {}
        self._troubles: dict[str, str] = {}
        self._looks, self._look_at = 0, float("inf")

    def order(self, orders: Iterable[Instance], now: float, changes: Iterable[Change] = ()) -> None:
        """Take in which routers have a seal, and which `changes` wait until theirs can be used."""
        self._orders = {one.name: one for one in orders if one.seal is not None}
        self._coming = coming.expect(self._coming, changes, self._orders.values())
        if self._sealed() and self._reader is None:
            self._reader, keeper = self._thread(), self._thread()
            self._reader.do(partial(import_module, "libra_vrrp.shell.sealing"), self._imported)
            self._book = Book(self._file, keeper, self._tell, self._ready, now)
        self._renew(now)
        self._look_at = now if self._sealed() else float("inf")
        self.tend(now)

    def _sealed(self) -> list[Instance]:
        """Return the orders that have a seal, in force or not."""
        return [*self._orders.values(), *self._coming.orders.values()]

    def _thread(self) -> Aside:
        """Return a thread of its own: keys are read while the disk of the state file hangs."""
        aside = Aside()
        self._wait(aside.fileno(), aside.follow_up)
        return aside

    def _imported(self, module: ModuleType | OSError, now: float) -> None:
        if isinstance(module, OSError):
            raise module
        gc.freeze()  # as the machine does at its start: what is imported is no garbage
        self._begin, self._stream_lock = module.Sealing, module.stream_lock
        self._ready(now)

    def is_opening(self, order: Instance) -> bool:
        """Say whether a router has to wait for the disk: for its key, our start or the cipher."""
        if order.seal is None:
            return False
        file = order.seal.key_file
        is_read = file in self._keys or file in self._troubles
        is_begun = self._book is not None and self._book.own is not None
        return not (is_read and is_begun and self._begin is not None)

    def is_early(self, change: Change) -> bool:
        """Say whether a router that works is to go on as it is until its new seal can be used."""
        old, new = change
        if new.seal == old.seal or coming.is_given_up(self._coming, new):
            return False
        return self._is_usable(old) and not self._is_usable(new)

    def _is_usable(self, order: Instance) -> bool:
        """Say whether all that its seal needs has been read once."""
        is_read = order.seal is None or order.seal.key_file in self._keys
        return is_read and not self.is_opening(order)

    def passed_by(self, tag: bytes, now: float) -> None:
        """Hear of a sealed datagram that we cannot open: look again at once whether we can now."""
        known, self._coming = self._coming, coming.passed_by(self._coming, tag)
        if self._coming != known:
            self._look_at = now

    def fault(self, order: Instance) -> str | None:
        """Say why a router cannot seal; a file that got worse does not count, its keys are kept."""
        if order.seal is None or order.seal.key_file in self._keys:
            return None
        return self._troubles.get(order.seal.key_file)

    def named(self, tag: bytes) -> str | None:
        """Return the name of the router that a sealed datagram is for."""
        return next((name for name, one in self._sealings.items() if one.tag == tag), None)

    def dress(self, order: Instance, datagram: Datagram, now: float) -> tuple[Datagram, ...]:
        """Return what goes out in place of a datagram: sealed, and also as it is while in plain."""
        if order.seal is None:
            return (datagram,)
        sealing = self._sealings.get(order.name)
        if sealing is None:
            return ()
        sealed = sealing.seal(datagram, now)
        if order.seal.is_required or not datagram.message:
            return (sealed,)
        return sealed, datagram

    def open(self, order: Instance, datagram: Datagram, now: float) -> Outcome | None:
        """Open a sealed datagram; None where the router has not begun."""
        sealing, book = self._sealings.get(order.name), self._book
        if sealing is None or book is None:
            return None
        outcome = sealing.open(datagram, book.highest, now)
        if isinstance(outcome, Opened) and outcome.is_first_proof:
            session = outcome.session
            if session.start < book.highest(session.sender):
                self._told.alarm(order.name, "seal", datagram.source, _LOST, "lost")
            book.proved(session.sender, session.start, now)
        return outcome

    def lock(self, order: Instance) -> Lock | None:
        """Return what hides what tethers say of a router; None before its keys were read."""
        keys = self._keys.get(order.seal.key_file) if order.seal is not None else None
        if not keys or self._stream_lock is None:
            return None
        return self._stream_lock(order.name, order.vrid, order.family, keys)

    def due_at(self, name: str) -> float:
        """Return when the next challenge of a router is due; infinity where it has no seal."""
        sealing = self._sealings.get(name)
        return float("inf") if sealing is None else sealing.due_at

    def wake_at(self) -> float:
        """Return when `tend` is next due."""
        book = float("inf") if self._book is None else self._book.wake_at()
        return min(self._look_at, book)

    def tend(self, now: float) -> None:
        """Look at the key files, and at the disk that takes our starts."""
        if self._book is not None:
            self._book.tend(now)
        if now < self._look_at or self._reader is None:
            return
        self._look_at = now + LOOK
        if self._looks:
            return
        for file in {one.seal.key_file for one in self._sealed() if one.seal is not None}:
            self._looks += 1
            self._reader.do(partial(_read, file), partial(self._have, file))

    def _have(self, file: str, keys: tuple[bytes, ...] | str | OSError, now: float) -> None:
        self._looks -= 1
        if isinstance(keys, tuple):
            news = self._keys.get(file) != keys or file in self._troubles
            self._keys[file] = keys
            self._troubles.pop(file, None)
        else:
            trouble = str(keys)
            news = self._troubles.get(file) != trouble
            self._troubles[file] = trouble
            if news:
                self._tell(trouble)
            known, self._coming = self._coming, coming.give_up(self._coming, file)
            news |= self._coming != known
        if news:
            self._ready(now)

    def _ready(self, now: float) -> None:
        self._renew(now)
        self._changed(now)

    def _renew(self, now: float) -> None:
        """Have one conversation per sealed router, as soon as there are keys and our start."""
        running = self._sealings
        self._sealings = {}
        if self._begin is None or self._book is None or self._book.own is None:
            return
        for name, order in self._orders.items():
            keys = self._keys.get(order.seal.key_file) if order.seal is not None else None
            if keys:
                known = running.get(name)
                if known is None or not known.is_of(order):
                    known = self._begin(order, self._node, self._book.own, keys, now)
                known.renew(order.interval, keys)
                self._sealings[name] = known

    def _tell(self, trouble: str) -> None:
        log("a seal has a trouble", "warning", why=trouble)
        for name in self._orders:
            self._told.alarm(name, "seal", None, trouble, trouble)
        for name in self._coming.orders:
            detail = f"{trouble} ({coming.meanwhile(self._coming, name)})"
            self._told.alarm(name, "seal", None, detail, trouble)


def starts_of(routers: Path) -> Path:
    """Return the state file beside a list of routers, where the reporter cannot write."""
    return routers.parents[1] / "vrrp-seal" / "starts.json"


def _read(file: str) -> tuple[bytes, ...] | str:
    try:
        return read_keys(file)
    except Unusable as wrong:
        return str(wrong)
