"""One VRRP socket per interface in use, opened and closed as interfaces come and go."""

from collections.abc import Callable, Collection
from functools import partial
from typing import Final

from libra_vrrp.interfaces import Interfaces
from libra_vrrp.shell.aside import Aside
from libra_vrrp.shell.link import Link
from libra_vrrp.shell.say import log

RETRY: Final = 1.0


class Links:
    """The sockets by interface name; `opened` and `closing` tell of each.

    They are opened and closed aside: joining and leaving a group waits for the RTNL lock.
    """

    def __init__(
        self, aside: Aside, opened: Callable[[Link, float], None], closing: Callable[[Link], None]
    ) -> None:
        self._aside = aside
        self._opened = opened
        self._closing = closing
        self._links: dict[str, Link] = {}
        self._opening: dict[str, int] = {}
        self.retry_at = float("inf")

    def send(self, interface: str, packet: bytes) -> bool:
        """Send an advertisement; False if it could not be sent."""
        link = self._links.get(interface)
        return link is not None and link.send(packet)

    def is_opening(self, interface: str) -> bool:
        """Say whether the socket of an interface is under way."""
        return interface in self._opening

    def reconcile(self, wanted: Collection[str], known: Interfaces) -> None:
        """Hold one socket per wanted interface that exists; one re-made under its name is new."""
        self.retry_at = float("inf")
        indexes = {n: link.index for n in wanted if (link := known.named(n)) is not None}
        self._opening = {n: i for n, i in self._opening.items() if indexes.get(n) == i}
        for name, held in list(self._links.items()):
            if indexes.get(name) != held.index:
                self._closing(held)
                del self._links[name]
                self._close(held)
        for name, index in indexes.items():
            if name not in self._links and name not in self._opening:
                self._opening[name] = index
                self._aside.do(partial(Link, name, index), partial(self._have, name, index))

    def _have(self, name: str, index: int, link: Link | OSError, now: float) -> None:
        is_wanted = self._opening.get(name) == index
        if is_wanted:
            del self._opening[name]
        match link:
            case OSError() if is_wanted:
                log("no VRRP socket, trying again", "warning", interface=name, why=str(link))
                self.retry_at = now + RETRY
            case Link() if is_wanted:
                self._links[name] = link
                self._opened(link, now)
            case Link():
                self._close(link)
            case _:
                pass

    def _close(self, link: Link) -> None:
        self._aside.do(link.close, lambda _, __: None)
