"""The node's routers on its tethers: when there are to be any."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address
from typing import cast

import pytest

from libra_vrrp.orders import Instance, Place
from libra_vrrp.shell.ground import Ground
from libra_vrrp.shell.tethering import arrange
from libra_vrrp.shell.tethers import Tethers
from libra_vrrp.shell.virtual_router import VirtualRouter
from libra_vrrp.tether.ends import Ends

A, B = IPv4Address("127.9.1.1"), IPv4Address("127.9.1.2")
FRONT = Instance("front", "eth0", 51, 100, (Place("eth0", IPv4Address("192.0.2.10")),))


@dataclass
class Claim:
    """What a machine knows of another one in its place."""

    rival: str | None = None


@dataclass
class Site:
    """As much of a machine as tethers have to do with."""

    port: int
    claim: Claim = field(default_factory=Claim)
    seals: object = None

    def __post_init__(self) -> None:
        self.tethers = Tethers("a", Guard(), lambda _: None)

    def arrange(self, now: float) -> None:
        """Look what tethers there are to be, and listen."""
        order = replace(FRONT, tether=Ends(A, self.port, (("b", B),)))
        one = cast("VirtualRouter", Router(order))
        arrange(self.tethers, [one], cast("Ground", self), now)
        self.tethers.turn(now)

    def listens(self) -> bool:
        """Say whether somebody listens where peers would connect to."""
        with socket.socket() as dialling:
            return dialling.connect_ex((str(A), self.port)) == 0


class Guard:
    """Nothing is held here."""

    def entrust(self, _key: str, _connection: socket.socket) -> bool:
        return True

    def let_go(self, key: str) -> None:
        """Nothing was held."""

    def supersede(self, name: str) -> None:
        """Nothing was held."""


@dataclass
class Router:
    """A router, as far as its order."""

    order: Instance


@pytest.fixture
def site() -> Iterator[Site]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    made = Site(port)
    yield made
    made.tethers.stop()


def test_nobody_is_tied_to_a_machine_in_whose_place_another_works(site: Site) -> None:
    site.claim.rival = "another libra-vrrp"
    site.arrange(1.0)
    assert site.tethers.is_idle
    assert not site.listens()


def test_tethers_begin_when_the_other_machine_has_ended(site: Site) -> None:
    site.claim.rival = "another libra-vrrp"
    site.arrange(1.0)
    site.claim.rival = None
    site.arrange(2.0)
    assert not site.tethers.is_idle
    assert site.listens()
