"""One VRRP socket per interface in use, opened and closed as interfaces come and go."""

from collections.abc import Callable, Collection
from typing import Final

from libra_vrrp.interfaces import Interfaces
from libra_vrrp.shell.link import Link
from libra_vrrp.shell.privileges import log, prepare_interface

RETRY: Final = 1.0


class Links:
    """The sockets by interface name; `opened` and `closing` tell of each."""

    def __init__(self, opened: Callable[[Link], None], closing: Callable[[Link], None]) -> None:
        self._opened = opened
        self._closing = closing
        self._links: dict[str, Link] = {}
        self._prepared: dict[str, tuple[int, bool]] = {}
        self.retry_at = float("inf")

    def send(self, interface: str, packet: bytes) -> bool:
        """Send an advertisement; False if it could not be sent."""
        link = self._links.get(interface)
        return link is not None and link.send(packet)

    def reconcile(self, wanted: Collection[str], known: Interfaces, now: float) -> None:
        """Hold one socket per wanted interface that exists; one re-made under its name is new."""
        self.retry_at = float("inf")
        for name, held in list(self._links.items()):
            link = known.named(name)
            if name not in wanted or link is None or link.index != held.index:
                self._closing(held)
                held.close()
                del self._links[name]
        for name in wanted:
            link = known.named(name)
            if link is not None and name not in self._links:
                self._open(name, link.index, now)

    def is_prepared(self, name: str, index: int) -> bool:
        """Set promote_secondaries once per interface, and say whether it reads back as set."""
        if name not in self._prepared or self._prepared[name][0] != index:
            self._prepared[name] = (index, prepare_interface(name))
        return self._prepared[name][1]

    def _open(self, name: str, index: int, now: float) -> None:
        try:
            link = Link(name, index)
        except OSError as refused:
            log(f"no VRRP socket on {name}: {refused}; trying again")
            self.retry_at = now + RETRY
            return
        self._links[name] = link
        self._opened(link)
