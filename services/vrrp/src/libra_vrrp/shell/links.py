"""One VRRP socket per channel in use, opened and closed as interfaces come and go."""

from collections.abc import Callable, Collection
from functools import partial
from typing import Final, assert_never

from libra_vrrp.codec import Datagram
from libra_vrrp.interfaces import Interfaces
from libra_vrrp.orders import Channel, Multicast, Unicast
from libra_vrrp.shell.aside import Aside
from libra_vrrp.shell.link import Link
from libra_vrrp.shell.say import log

RETRY: Final = 1.0


class Links:
    """The sockets by channel; `opened` and `closing` tell of each.

    They are opened and closed aside: joining and leaving a group waits for the RTNL lock.
    """

    def __init__(
        self, aside: Aside, opened: Callable[[Link, float], None], closing: Callable[[Link], None]
    ) -> None:
        self._aside = aside
        self._opened = opened
        self._closing = closing
        self._links: dict[Channel, Link] = {}
        self._opening: dict[Channel, int] = {}
        self._lacking: dict[Channel, str] = {}
        self.retry_at = float("inf")

    def look_at(self, when: float) -> None:
        """Have all looked at again by then, and once for whoever asks for it."""
        self.retry_at = min(self.retry_at, when)

    def send(self, channel: Channel, datagram: Datagram) -> bool:
        """Send an advertisement; False if it could not be sent."""
        link = self._links.get(channel)
        return link is not None and link.send(datagram)

    def is_opening(self, channel: Channel) -> bool:
        """Say whether the first socket of a channel is under way."""
        return channel in self._opening and channel not in self._lacking

    def fault(self, channel: Channel) -> str | None:
        """Say why nothing is heard on a channel: its socket failed, or went with its interface."""
        return self._lacking.get(channel)

    def reconcile(self, wanted: Collection[Channel], known: Interfaces) -> None:
        """Hold one socket per wanted channel that exists; one re-made under its name is new."""
        self.retry_at = float("inf")
        indexes = {one: at for one in wanted if (at := _index(one, known)) is not None}
        self._opening = {n: i for n, i in self._opening.items() if indexes.get(n) == i}
        self._lacking = {one: why for one, why in self._lacking.items() if one in wanted}
        for channel, held in list(self._links.items()):
            if indexes.get(channel) != held.index:
                self._closing(held)
                del self._links[channel]
                self._close(held)
                if channel in wanted:
                    self._lacking[channel] = f"no VRRP socket on {_place(channel)} yet"
        for channel, index in indexes.items():
            if channel not in self._links and channel not in self._opening:
                self._opening[channel] = index
                self._aside.do(partial(Link, channel, index), partial(self._have, channel, index))

    def _have(self, channel: Channel, index: int, link: Link | OSError, now: float) -> None:
        is_wanted = self._opening.get(channel) == index
        if is_wanted:
            del self._opening[channel]
        match link:
            case OSError() if is_wanted:
                log("no VRRP socket, trying again", "warning", on=str(channel), why=str(link))
                self._lacking[channel] = f"no VRRP socket on {_place(channel)}: {link.strerror}"
                self.look_at(now + RETRY)
            case Link() if is_wanted:
                self._links[channel] = link
                self._lacking.pop(channel, None)
                self._opened(link, now)
            case Link():
                self._close(link)
            case _:
                pass

    def _close(self, link: Link) -> None:
        self._aside.do(link.close, lambda _, __: None)


def _place(channel: Channel) -> str:
    match channel:
        case Multicast(interface=name):
            return name
        case Unicast(source=source):
            return str(source)
        case _:
            assert_never(channel)


def _index(channel: Channel, known: Interfaces) -> int | None:
    """Return the index of the interface that a channel is bound to: 0 for none, None if gone."""
    match channel:
        case Multicast(interface=name):
            link = known.named(name)
            return None if link is None else link.index
        case Unicast():
            return 0
        case _:
            assert_never(channel)
