"""What a virtual router stands on: the machine's sockets, tables and ways to tell."""

from ipaddress import IPv4Address
from typing import Protocol

from libra_vrrp.interfaces import Interfaces
from libra_vrrp.renewal import Remove, Renew
from libra_vrrp.reports import Report
from libra_vrrp.shell.claim import Claim


class Ground(Protocol):
    """The machine, as its virtual routers see it."""

    @property
    def interfaces(self) -> Interfaces:
        """What the kernel's interfaces are now."""

    claim: Claim

    @property
    def virtual(self) -> frozenset[IPv4Address]:
        """Every virtual address of this node."""

    def send(self, interface: str, packet: bytes) -> bool:
        """Send an advertisement."""

    def arp(self, interface: str, frame: bytes) -> bool:
        """Send a gratuitous ARP."""

    def work(self, job: Renew | Remove) -> None:
        """Have address work done."""

    def tell(self, report: Report) -> None:
        """Report to the outside."""

    def alarm(self, instance: str, kind: str, peer: IPv4Address | None, detail: str) -> None:
        """Raise a rate-limited alarm."""

    def count(self, name: str) -> None:
        """Count something."""
