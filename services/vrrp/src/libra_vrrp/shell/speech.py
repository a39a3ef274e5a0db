"""What a router says, put on the wire: a master's words from its virtual MAC."""

from collections.abc import Iterable

from libra_vrrp.codec import Datagram
from libra_vrrp.orders import Instance
from libra_vrrp.shell.link import Announcer
from libra_vrrp.shell.links import Links
from libra_vrrp.vmac import frame, virtual_mac


class Speech:
    """Frames go out of the parent, whatever has become of the interface that bears the MAC."""

    def __init__(self, links: Links, announcer: Announcer) -> None:
        self._links, self._announcer = links, announcer

    def put(self, order: Instance, dressed: Iterable[Datagram], *, veiled: bool) -> bool:
        """Send datagrams, from the virtual MAC where they are `veiled`; say whether all went out.

        What is too large for one frame goes out of the base, where the kernel makes several.
        """
        sent = [
            (veiled and self._framed(order, one)) or self._links.send(order.channel, one)
            for one in dressed
        ]
        return bool(sent) and all(sent)

    def _framed(self, order: Instance, datagram: Datagram) -> bool:
        mac = virtual_mac(order.family, order.vrid)
        return self._announcer.send(order.interface, frame(datagram, mac))
