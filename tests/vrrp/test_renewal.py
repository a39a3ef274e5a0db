from collections.abc import Generator
from dataclasses import replace
from errno import EEXIST, ENETUNREACH
from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest

from libra_vrrp import routing
from libra_vrrp.renewal import (
    UNKNOWN,
    Add,
    Done,
    Laid,
    Outcome,
    Remove,
    Renew,
    laid,
    renewal,
    stripped,
)
from libra_vrrp.routing import Entry, Kind, Route, Rule
from libra_vrrp.rtnetlink import Answered, Target

TARGETS = (Target(2, IPv4Address("192.0.2.10")),)
RENEW = Renew("front", 1, TARGETS, lifetime=2, asked_at=10.0, not_after=11.5)


def outcome(steps: Generator[Add | Remove, Done, Outcome], done: Done | None) -> Outcome:
    with pytest.raises(StopIteration) as finished:
        next(steps) if done is None else steps.send(done)
    result: Outcome = finished.value.value
    return result


def test_a_renewal_in_time_is_one_step() -> None:
    steps = renewal(RENEW, 10.1)
    assert next(steps) == Add(TARGETS, 2)
    assert outcome(steps, Done(0, 10.2)) == Outcome(RENEW, 0, late=False)


def test_one_that_the_kernel_refuses_says_why() -> None:
    steps = renewal(RENEW, 10.1)
    next(steps)
    assert outcome(steps, Done(105, 10.2)) == Outcome(RENEW, 105, late=False)


def test_one_that_was_done_too_late_is_undone() -> None:
    steps = renewal(RENEW, 10.1)
    next(steps)
    assert steps.send(Done(0, 11.5)) == Remove(TARGETS)
    assert outcome(steps, Done(0, 11.6)) == Outcome(RENEW, 0, late=True)


def test_the_interface_of_a_virtual_mac_goes_up_and_down_with_the_addresses() -> None:
    veiled = replace(RENEW, vmac=7)
    steps = renewal(veiled, 10.1)
    assert next(steps) == Add(TARGETS, 2, 7)
    assert steps.send(Done(0, 11.5)) == Remove(TARGETS, vmac=7)


def test_one_that_is_too_late_to_begin_touches_nothing() -> None:
    assert outcome(renewal(RENEW, 11.5), None) == Outcome(RENEW, 0, late=True)


def test_only_addresses_that_are_held_and_in_time_take_routes_along() -> None:
    assert Outcome(RENEW, 0, late=False).holds
    assert not Outcome(RENEW, 105, late=False).holds
    assert not Outcome(RENEW, 0, late=True).holds


SIX, OTHER = (IPv6Address(f"2001:db8::{host}") for host in (10, 11))
AWAY, BESIDE, BACK, PLAIN = (
    routing.route(Route(ip_network("2001:db8:9::/48"), "eth0", source=SIX, table=100), 2),
    routing.route(Route(ip_network("2001:db8:8::/48"), "eth0", source=OTHER), 2),
    routing.route(Route(ip_network("10.9.0.0/16"), "eth0", source=TARGETS[0].address), 2),
    routing.rule(Rule(6, 100, table=100)),
)
LED = replace(
    RENEW,
    targets=(*TARGETS, Target(2, SIX), Target(2, OTHER), Target(2, IPv6Address("2001:db8::12"))),
    entries=(AWAY, BESIDE, BACK, PLAIN),
)


def test_routes_whose_source_was_gone_are_made_anew() -> None:
    """The kernel keeps an IPv6 route without its source, and an IPv4 route not at all."""
    steps = renewal(LED, 10.1)
    step = next(steps)
    assert step == Add(LED.targets, 2, sources=(Target(2, SIX), Target(2, OTHER)))
    found = outcome(steps, Done(0, 10.2, (Target(2, SIX),)))
    assert stripped(found) == (AWAY,)
    assert stripped(Outcome(LED, 0, late=False)) == ()
    assert RENEW.sources == ()


def test_an_entry_is_made_or_there_already_or_refused() -> None:
    entries = tuple(Entry(Kind.RULE, bytes([number])) for number in range(4))
    renew = replace(RENEW, entries=entries)
    errnos = (0, EEXIST, ENETUNREACH, UNKNOWN)
    answers = [Answered(number, errno) for number, errno in enumerate(errnos)]
    refused = (entries[2], answers[2]), (entries[3], answers[3])
    assert laid(renew, answers) == Laid(renew, (entries[0],), refused)
