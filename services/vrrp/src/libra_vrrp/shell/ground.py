"""What a virtual router stands on: the machine's sockets, tables and ways to tell."""

from typing import Protocol

from libra_vrrp.codec import Datagram
from libra_vrrp.interfaces import Interfaces
from libra_vrrp.orders import Instance
from libra_vrrp.renewal import Job
from libra_vrrp.reports import Report
from libra_vrrp.rtnetlink import IpAddress
from libra_vrrp.shell.claim import Claim
from libra_vrrp.shell.links import Links
from libra_vrrp.shell.seals import Seals
from libra_vrrp.shell.vmacs import Vmacs


class Ground(Protocol):
    """The machine, as its virtual routers see it."""

    @property
    def interfaces(self) -> Interfaces:
        """What the kernel's interfaces are now."""

    claim: Claim
    seals: Seals
    links: Links
    vmacs: Vmacs

    @property
    def virtual(self) -> frozenset[IpAddress]:
        """Every virtual address of this node."""

    def send(self, order: Instance, datagram: Datagram) -> bool:
        """Send what a router says, under its seal if it has one."""

    def announce(self, interface: str, frame: bytes, until: float) -> bool:
        """Send a frame that tells the neighbours whose an address is, if it is before `until`."""

    def work(self, job: Job) -> None:
        """Have address work done."""

    def tell(self, report: Report) -> None:
        """Report to the outside."""

    def alarm(
        self, instance: str, kind: str, peer: IpAddress | None, detail: str, reason: str = ""
    ) -> None:
        """Raise an alarm, limited in rate by kind, reason and peer."""

    def count(self, name: str) -> None:
        """Count something."""
