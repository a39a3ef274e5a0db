"""When sealed routers ask for answers: while they take part, and somebody is there to ask."""

from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address
from typing import cast

import pytest

from libra_vrrp.codec import GROUP, Datagram
from libra_vrrp.orders import Instance, Place
from libra_vrrp.router import Router
from libra_vrrp.rtnetlink import IpAddress
from libra_vrrp.seal.datagram import QUESTION
from libra_vrrp.shell import asking
from libra_vrrp.shell.ground import Ground
from libra_vrrp.shell.virtual_router import VirtualRouter
from libra_vrrp.states import Backup, Initialize, Master, State

VIP, OURS, PEER = (IPv4Address(f"192.0.2.{n}") for n in (10, 1, 2))
ORDER = Instance("front", "eth0", 51, 100, (Place("eth0", VIP),))
ROUTER = Router(51, 100, OURS, (VIP,))
NEVER = float("inf")
DUE = 5.0
BACKUP, MASTER = Backup(9.0, 1.0, 0.0), Master(6.0, 0.0)


@dataclass
class Seals:
    """Seals of which a challenge is due at 5 s."""

    tended: int = 0

    def due_at(self, _name: str) -> float:
        return DUE

    def wake_at(self) -> float:
        return NEVER

    def tend(self, _now: float) -> None:
        self.tended += 1


@dataclass
class Sent:
    """A ground that notes what goes out."""

    seals: Seals = field(default_factory=Seals)
    said: list[Datagram] = field(default_factory=list)

    def send(self, _order: Instance, datagram: Datagram) -> bool:
        self.said.append(datagram)
        return True


@dataclass
class Site:
    """A router where `asking` looks at it."""

    state: State
    router: Router = ROUTER
    order: Instance = ORDER
    name: str = "front"
    adverts: list[int] = field(default_factory=list)

    def advertise(self, priority: int) -> None:
        self.adverts.append(priority)


def asked(site: Site, now: float) -> tuple[float, list[IpAddress]]:
    """Return when the router's next turn to ask is, and whom it asks at `now`."""
    sent = Sent()
    routers, ground = [cast("VirtualRouter", site)], cast("Ground", sent)
    due = asking.due_at(routers, ground)
    asking.ask(routers, ground, now)
    assert sent.seals.tended == 1
    return due, [one.destination for one in sent.said]


def test_a_backup_asks_the_group_or_its_peers_when_it_is_due() -> None:
    assert asked(Site(BACKUP), DUE - 1) == (DUE, [])
    assert asked(Site(BACKUP), DUE) == (DUE, [GROUP[4]])
    assert asked(Site(BACKUP, replace(ROUTER, peers=(PEER,))), DUE) == (DUE, [PEER])


def test_a_master_asks_by_its_advert() -> None:
    site = Site(MASTER)
    assert asked(site, DUE) == (DUE, [])
    assert site.adverts == [100]


@pytest.mark.parametrize("state", [BACKUP, MASTER])
def test_a_router_without_peers_has_nothing_due(state: State) -> None:
    """What is due and never sent would be due at once again: the machine would spin."""
    site = Site(state, replace(ROUTER, peers=()))
    assert asked(site, DUE) == (NEVER, [])
    assert site.adverts == []


def test_who_is_out_of_the_protocol_asks_nobody() -> None:
    assert asked(Site(Initialize()), DUE) == (NEVER, [])


def test_an_inquiry_goes_where_adverts_go() -> None:
    sent = Sent()
    asking.inquire(cast("VirtualRouter", Site(BACKUP)), cast("Ground", sent))
    assert [(one.destination, one.message) for one in sent.said] == [(GROUP[4], QUESTION)]
