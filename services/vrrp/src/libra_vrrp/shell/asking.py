"""Sealed routers ask for answers: when, and what they say so that others can answer them."""

from collections.abc import Iterable
from dataclasses import replace

from libra_vrrp.router import challenges
from libra_vrrp.seal.datagram import QUESTION
from libra_vrrp.shell.ground import Ground
from libra_vrrp.shell.virtual_router import VirtualRouter
from libra_vrrp.states import Backup, Master, Starting


def due_at(routers: Iterable[VirtualRouter], ground: Ground) -> float:
    """Return when `ask` is next due; whoever is out of the protocol, or alone, asks nobody."""
    dues = (ground.seals.due_at(one.name) for one in routers if _asks(one))
    return min([ground.seals.wake_at(), *dues])


def ask(routers: Iterable[VirtualRouter], ground: Ground, now: float) -> None:
    """Send the challenges that are due, and look after key files."""
    ground.seals.tend(now)
    for one in routers:
        if now >= ground.seals.due_at(one.name) and _asks(one):
            speak(one, ground)


def speak(one: VirtualRouter, ground: Ground) -> None:
    """Say something under the seal now: a master its advert, everyone else a challenge."""
    if isinstance(one.state, Master):
        one.advertise(one.router.priority)
    elif _takes_part(one):
        for datagram in challenges(one.router):
            ground.send(one.order, datagram)


def inquire(one: VirtualRouter, ground: Ground) -> None:
    """Ask the master for a sign of life, under the seal."""
    for datagram in challenges(one.router):
        ground.send(one.order, replace(datagram, message=QUESTION))


def _asks(one: VirtualRouter) -> bool:
    """Say whether anyone is there to be asked: without peers nothing goes out, and stays due."""
    return one.router.peers != () and _takes_part(one)


def _takes_part(one: VirtualRouter) -> bool:
    return isinstance(one.state, Starting | Backup | Master)
