"""In which order the kernel is asked for address work; the kernel is a list here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from select import select
from threading import Event

import pytest

from libra_vrrp.renewal import Cleared, Renew, Unmake
from libra_vrrp.rtnetlink import Answered, Target
from libra_vrrp.shell import addresses
from libra_vrrp.shell.addresses import AT_ONCE, AddressThread

VIP = Target(2, IPv4Address("192.0.2.10"))
MANY = tuple(range(100, 100 + 2 * AT_ONCE + 1))
FIRST, SECOND, THIRD = MANY[:AT_ONCE], MANY[AT_ONCE:-1], MANY[-1:]


@dataclass
class Kernel:
    """It answers once it `may`."""

    asked: list[tuple[object, ...]] = field(default_factory=list)
    may: Event = field(default_factory=Event)

    def ask(self, _: object, about: Sequence[object]) -> list[Answered]:
        assert self.may.wait(60)
        if about:
            self.asked.append(tuple(about))
        return [Answered(number, 0) for number, _ in enumerate(about)]


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kernel]:
    made = Kernel()
    monkeypatch.setattr(addresses, "Questions", lambda: made)
    yield made
    made.may.set()


def test_a_renewal_does_not_wait_until_all_interfaces_are_gone(kernel: Kernel) -> None:
    """Found by review: some fifty that went at once cost this node what it was master of."""
    thread = AddressThread()
    thread.do(Unmake(MANY))
    thread.do(Renew("front", 1, (VIP,), 2, 0.0, float("inf")))
    kernel.may.set()
    told = list[object]()
    while len(told) < 4:
        assert select([thread], [], [], 60)[0]
        told += thread.outcomes()
    assert kernel.asked == [FIRST, (VIP,), SECOND, THIRD]
    assert [one.job for one in told if isinstance(one, Cleared)] == [
        Unmake(part) for part in (FIRST, SECOND, THIRD)
    ]


def test_at_the_end_all_of_them_go(kernel: Kernel) -> None:
    thread = AddressThread()
    thread.do(Unmake(MANY))
    assert not thread.finish(0.0)
    kernel.may.set()
    thread._thread.join(60)
    assert kernel.asked == [FIRST, SECOND, THIRD]
