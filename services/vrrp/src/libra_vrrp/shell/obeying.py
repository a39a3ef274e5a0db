"""What the reporter orders, carried out by the virtual routers that it is about."""

from collections.abc import Callable
from typing import assert_never

from libra_vrrp.orders import (
    Coverage,
    Failover,
    Hello,
    Order,
    Release,
    Routers,
    Taken,
    Tracked,
)
from libra_vrrp.shell.roster import Roster
from libra_vrrp.shell.talk import Talk
from libra_vrrp.states import Released, Yield


def obey(
    order: Order, roster: Roster, talk: Talk, reload: Callable[[float], None], now: float
) -> None:
    """Carry out one order."""
    match order:
        case Routers():
            reload(now)
        case Tracked() | Failover() | Release():
            _instruct(order, roster, now)
        case Coverage(share=share):
            roster.cover(share, now)
        case Hello():
            talk.again([one.status(now) for one in roster])
        case Taken():
            talk.forget(order)
        case _:
            assert_never(order)


def _instruct(order: Tracked | Failover | Release, roster: Roster, now: float) -> None:
    if (one := roster.get(order.instance)) is None:
        return
    if isinstance(order, Tracked):
        one.track(order, now)
    else:
        one.give(Yield(order.hold) if isinstance(order, Failover) else Released(), now)
