"""The arithmetic of leased addresses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_vrrp.lease import (
    EARLY,
    Terms,
    ask,
    confirm,
    ends_in_time,
    is_due,
    is_lost,
    may_adopt,
    retry,
    take,
    wake_at,
)

TERMS = Terms(duration=2, margin=0.5)


def test_a_lease_is_asked_for_at_once_and_then_every_quarter() -> None:
    fresh = take(TERMS, 10.0)
    assert is_due(fresh, 10.0)
    held = confirm(ask(TERMS, fresh, 10.0), asked_at=10.0)
    assert not is_due(held, 10.49)
    assert is_due(held, 10.5)


def test_only_one_renewal_is_under_way() -> None:
    assert not is_due(ask(TERMS, take(TERMS, 10.0), 10.0), 11.0)


def test_a_lease_counts_from_when_the_confirmed_renewal_was_asked_for() -> None:
    held = confirm(ask(TERMS, take(TERMS, 10.0), 10.2), asked_at=10.2)
    assert held.fence_at == pytest.approx(11.7)
    assert not is_lost(held, 11.69)
    assert is_lost(held, 11.71)


def test_a_lease_never_confirmed_is_lost_as_well() -> None:
    asked = ask(TERMS, take(TERMS, 10.0), 10.0)
    assert not asked.confirmed
    assert is_lost(asked, 11.5)


def test_an_older_confirmation_does_not_shorten_a_lease() -> None:
    held = confirm(ask(TERMS, take(TERMS, 10.0), 10.4), asked_at=10.4)
    assert held.fence_at == pytest.approx(11.9)
    assert confirm(held, asked_at=10.1) == held
    assert confirm(ask(TERMS, held, 10.9), asked_at=10.1).fence_at == held.fence_at


def test_a_renewal_of_unknown_outcome_is_asked_for_again_and_confirms_nothing() -> None:
    asked = ask(TERMS, take(TERMS, 10.0), 10.0)
    assert is_due(retry(asked), 10.5)
    assert retry(asked).fence_at == asked.fence_at


def test_a_renewal_asked_for_under_other_terms_counts_by_these() -> None:
    """Found by review: a longer lease in the config moved the fence of what the kernel held."""
    long = Terms(duration=10, margin=0.5)
    held = confirm(ask(TERMS, take(TERMS, 10.0), 10.0), asked_at=10.0)
    longer = ask(long, held, 10.5)
    assert longer.fence_at == pytest.approx(11.5)
    assert confirm(longer, asked_at=10.5).fence_at == pytest.approx(20.0)


def test_a_renewal_that_shortens_a_lease_does_so_whether_it_is_confirmed_or_not() -> None:
    long = Terms(duration=10, margin=0.5)
    held = confirm(ask(long, take(long, 10.0), 10.0), asked_at=10.0)
    shorter = ask(TERMS, held, 11.0)
    assert shorter.fence_at == retry(shorter).fence_at == pytest.approx(12.5)
    assert confirm(shorter, asked_at=11.0).fence_at == pytest.approx(12.5)


def test_the_next_look_is_at_the_renewal_or_at_the_fence() -> None:
    held = confirm(ask(TERMS, take(TERMS, 10.0), 10.0), asked_at=10.0)
    assert wake_at(held) == 10.5
    assert wake_at(ask(TERMS, held, 10.5)) == 11.5


@given(st.integers(2, 60), st.floats(0, 1000))
def test_the_fence_is_before_the_kernel_can_take_an_address(duration: int, now: float) -> None:
    terms = Terms(duration)
    assert take(terms, now).fence_at < now + duration - EARLY
    assert terms.every < take(terms, now).fence_at - now


@pytest.mark.parametrize(
    ("duration", "margin"),
    [
        pytest.param(1, 0.4, id="under two seconds"),
        pytest.param(2, 0.2, id="margin within what the kernel takes early"),
        pytest.param(2, 1.0, id="margin of half the lease"),
    ],
)
def test_terms_that_cannot_hold_are_refused(duration: int, margin: float) -> None:
    with pytest.raises(ValueError, match=r"lease|margin"):
        Terms(duration, margin)


def test_a_successor_adopts_only_before_anyone_can_have_taken_over() -> None:
    assert may_adopt(1.0, dead=1.9)
    assert not may_adopt(1.0, dead=2.0)


@pytest.mark.parametrize(
    ("duration", "interval", "holds"),
    [(2, 1.0, True), (2, 0.99, False), (5, 2.0, True), (6, 2.0, False)],
)
def test_an_address_that_nobody_renews_is_gone_before_others_take_over(
    duration: int, interval: float, *, holds: bool
) -> None:
    assert ends_in_time(Terms(duration), interval) is holds
