"""Interfaces for virtual MACs are made, looked after and removed; the kernel is a list here."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from errno import EBUSY, EPERM
from typing import Any, cast

import pytest
from tests.vrrp.test_vmacs import ETH0, MAC, ORDER, OURS, PLAIN, known

from libra_vrrp.interfaces import Interfaces
from libra_vrrp.renewal import Job, Remove, Unmake
from libra_vrrp.rtnetlink import Answered
from libra_vrrp.shell import vmacs
from libra_vrrp.shell.aside import Aside
from libra_vrrp.shell.pulse import Routing
from libra_vrrp.shell.vmacs import Vmacs
from libra_vrrp.states import Backup, Initialize, Master, State
from libra_vrrp.vmacs import wanted

WANTED = wanted([ORDER])
BOTH = known(ETH0, OURS)


@dataclass
class Site:
    """What is asked of the kernel aside waits in `calls` until it is answered."""

    calls: list[tuple[Callable[[], Any], Callable[[Any, float], None]]] = field(
        default_factory=list
    )
    jobs: list[Job] = field(default_factory=list)
    looks: list[float] = field(default_factory=list)
    changes: int = 0
    vmacs: Vmacs = field(init=False)

    def __post_init__(self) -> None:
        self.vmacs = Vmacs(cast("Aside", self), self.jobs.append, self.looks.append)

    def do(self, call: Callable[[], Any], then: Callable[[Any, float], None]) -> None:
        self.calls.append((call, then))

    def answer(self, outcome: object, now: float) -> None:
        """Answer what was asked; count where all is to be looked at for it at once."""
        [(_, then)] = self.calls
        self.calls.clear()
        then([outcome], now)
        self.changes += self.looks.pop() <= now

    def reconcile(self, interfaces: Interfaces, now: float) -> None:
        self.vmacs.reconcile(WANTED, interfaces, now)

    def told(self, interfaces: Interfaces) -> tuple[bool, str | None]:
        is_opening = self.vmacs.is_opening(ORDER, interfaces)
        return is_opening, self.vmacs.fault(ORDER, interfaces)


@pytest.fixture
def site() -> Site:
    return Site()


def test_one_is_made_seen_and_looked_after_before_it_is_used(site: Site) -> None:
    alone = known(ETH0)
    site.reconcile(alone, 0.0)
    site.reconcile(alone, 0.0)
    assert site.told(alone) == (True, "interface vrrp4-51 does not exist")
    site.answer(0, 0.1)
    site.reconcile(alone, 0.1)
    assert site.calls == []
    site.reconcile(BOTH, 0.2)
    assert site.told(BOTH) == (True, "interface vrrp4-51 is not ready yet")
    site.answer(None, 0.3)
    assert site.told(BOTH) == (False, None)
    assert site.vmacs.retry_at() == 0.3 + vmacs.RETRY


def test_one_that_the_kernel_tells_of_first_is_looked_after_as_soon_as_it_is_made(
    site: Site,
) -> None:
    """The router waited a second, and its guard took a start for one that takes so long."""
    site.reconcile(known(ETH0), 0.0)
    site.reconcile(BOTH, 0.1)
    site.answer(0, 0.2)
    assert site.changes == 1
    site.reconcile(BOTH, 0.2)
    site.answer(None, 0.3)
    assert site.told(BOTH) == (False, None)


def test_what_the_kernel_refuses_is_told_and_tried_again(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    alone, why = known(ETH0), "no interface vrrp4-51 on eth0: busy"
    for now in (0.0, 1.0):
        site.reconcile(alone, now)
        site.answer(OSError(EBUSY, "busy"), now)
        assert site.told(alone) == (False, why)
        assert site.vmacs.retry_at() == now + vmacs.RETRY
        site.reconcile(alone, now + 0.5)
        assert site.calls == []
    assert capsys.readouterr().err.count(why) == 1


def test_a_setting_that_is_wrong_is_a_fault_until_it_is_right(site: Site) -> None:
    site.reconcile(BOTH, 0.0)
    site.answer("arp_ignore is 0", 0.0)
    assert site.told(BOTH) == (False, "arp_ignore is 0")
    assert site.vmacs.retry_at() == vmacs.RETRY
    site.reconcile(BOTH, vmacs.RETRY)
    site.answer(None, 1.0)
    assert site.told(BOTH) == (False, None)


def test_it_is_looked_at_again_and_nobody_is_told_where_nothing_changed(site: Site) -> None:
    for now in (0.0, 2.0, 4.0):
        site.reconcile(BOTH, now)
        site.answer(None, now)
    assert site.changes == 1


def test_a_new_one_is_looked_after_once_more_and_then_when_something_happens(site: Site) -> None:
    """As where a network daemon gives its own settings to an interface that has just come."""
    site.reconcile(BOTH, 0.0)
    site.answer(None, 0.0)
    site.reconcile(BOTH, 0.3)
    assert (site.calls, site.vmacs.retry_at()) == ([], vmacs.RETRY)
    site.reconcile(BOTH, vmacs.RETRY)
    assert site.vmacs.retry_at() == float("inf")
    site.answer(None, vmacs.RETRY)
    for _ in range(2):
        site.reconcile(BOTH, vmacs.RETRY + 0.1)
        assert (site.calls, site.vmacs.retry_at()) == ([], float("inf"))
    site.reconcile(BOTH, 2 * vmacs.RETRY)
    assert len(site.calls) == 1


def test_one_made_anew_is_looked_after_anew(site: Site) -> None:
    site.reconcile(BOTH, 0.0)
    site.answer(None, 0.0)
    again = known(ETH0, replace(OURS, index=9))
    assert site.told(again) == (True, "interface vrrp4-51 is not ready yet")
    site.reconcile(again, 0.1)
    assert len(site.calls) == 1


def test_what_nobody_wants_is_removed_once_and_all_but_what_is_left_at_the_end(site: Site) -> None:
    other = replace(OURS, index=8, name="vrrp4-52", mac=MAC[:5] + b"\x34")
    for _ in range(2):
        site.reconcile(known(ETH0, OURS, other), 0.0)
    assert site.jobs == [Unmake((8,))]
    site.vmacs.stop(known(ETH0, OURS, other))
    assert site.jobs == [Unmake((8,)), Unmake((7,))]


def test_one_that_the_kernel_keeps_is_told_and_asked_to_go_again(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    """It was asked for once: who was to have its name waited for ever, and said nothing."""
    stale, unmake = known(ETH0, replace(OURS, mac=MAC[:5] + b"\x34")), Unmake((7,))
    site.reconcile(stale, 0.0)
    assert site.told(stale) == (
        True,
        "interface vrrp4-51 is there for another virtual router, and is to go",
    )
    for now in (0.1, 2.0):
        site.vmacs.unmade([(7, Answered(1, EPERM))], now)
        assert site.told(stale) == (
            False,
            (
                "interface vrrp4-51 is there for another virtual router, and the kernel keeps it: "
                "Operation not permitted (`ip link del vrrp4-51`)"
            ),
        )
        assert site.vmacs.retry_at() == now + vmacs.RETRY
        site.reconcile(stale, now + 0.5)
        assert site.jobs.count(unmake) == 1 + (now > 1.0)
        site.reconcile(stale, now + vmacs.RETRY)
        assert site.jobs.count(unmake) == 2 + (now > 1.0)
        assert site.vmacs.retry_at() == float("inf")
    assert site.looks == [0.1, 2.0 + vmacs.RETRY]
    assert capsys.readouterr().err.count("Operation not permitted") == 1
    site.reconcile(known(ETH0), 4.0)
    assert site.told(known(ETH0)) == (True, "interface vrrp4-51 does not exist")


@dataclass
class One:
    """A virtual router in a state."""

    state: State
    order: object = ORDER


@pytest.mark.parametrize(
    ("state", "is_set_down"),
    [
        pytest.param(Backup(9.0, 1.0, 0.0), True, id="a backup"),
        pytest.param(Master(6.0, 0.0), False, id="a master"),
        pytest.param(Initialize(), False, id="one that may adopt it"),
    ],
)
def test_what_somebody_set_up_is_set_down(site: Site, state: State, *, is_set_down: bool) -> None:
    raised = known(ETH0, replace(OURS, up=True))
    routers = [cast("Routing", One(state)), cast("Routing", One(state, PLAIN))]
    site.vmacs.hush(routers, raised)
    site.vmacs.hush(routers, BOTH)
    assert site.jobs == ([Remove((), (), 7)] if is_set_down else [])


def test_without_a_virtual_mac_nothing_is_wrong(site: Site) -> None:
    assert site.vmacs.fault(PLAIN, BOTH) is None
    assert not site.vmacs.is_opening(PLAIN, BOTH)


def test_while_an_interface_is_under_way_there_is_nothing_to_try_again(site: Site) -> None:
    """The machine spun until the kernel answered."""
    site.reconcile(known(ETH0), 1.0)
    site.answer(OSError(EBUSY, "Device or resource busy"), 1.0)
    assert site.vmacs.retry_at() == 1.0 + vmacs.RETRY
    site.reconcile(known(ETH0), 2.0)
    assert site.vmacs.retry_at() == float("inf")
    site.answer(OSError(EBUSY, "Device or resource busy"), 2.5)
    assert (site.changes, site.vmacs.retry_at()) == (1, 2.5 + vmacs.RETRY)
