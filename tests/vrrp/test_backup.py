"""What a backup makes of an advertisement: RFC 9568 section 6.4.2 and preemption."""

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from libra_vrrp.backup import TURN, hear, inherit, retime, watch
from libra_vrrp.codec import Advertisement
from libra_vrrp.router import After, Always, Never, Preempt, Router, WhenSynced, patience, skew
from libra_vrrp.states import Heard
from libra_vrrp.why import Why

PEER = IPv4Address("10.9.0.1")
ROUTER = Router(
    vrid=51,
    priority=100,
    address=IPv4Address("10.9.0.2"),
    addresses=(IPv4Address("192.0.2.10"),),
)


def says(priority: int, interval: int = 100) -> Heard:
    return Heard(Advertisement(51, priority, interval), PEER)


def test_priority_zero_leaves_only_the_skew() -> None:
    """6.4.2: if the Priority in the ADVERTISEMENT is 0, set the timer to Skew_Time."""
    after = hear(ROUTER, watch(ROUTER, 1.0, 0.0), says(0), 5.0)
    assert after.down_at == 5.0 + skew(ROUTER, 1.0)
    assert after.due is Why.PRIORITY_ZERO


def test_the_skew_after_priority_zero_is_of_the_learned_interval() -> None:
    learned = hear(ROUTER, watch(ROUTER, 1.0, 0.0), says(150, interval=10), 1.0)
    assert hear(ROUTER, learned, says(0), 2.0).down_at == 2.0 + skew(ROUTER, 0.1)


@pytest.mark.parametrize("priority", [100, 101, 255])
def test_an_equal_or_higher_priority_resets_the_timer(priority: int) -> None:
    """6.4.2: priority greater than or equal to the local one: reset to Active_Down_Interval."""
    after = hear(ROUTER, watch(ROUTER, 1.0, 0.0), says(priority), 2.0)
    assert after.down_at == 2.0 + patience(ROUTER, 1.0)
    assert (after.master, after.heard_at) == (PEER, 2.0)


def test_the_interval_is_learned_from_the_accepted_master() -> None:
    """6.4.2: set Active_Adver_Interval to the one in the ADVERTISEMENT, recompute both timers."""
    after = hear(ROUTER, watch(ROUTER, 1.0, 0.0), says(150, interval=4095), 2.0)
    assert after.interval == 40.95
    assert after.down_at == 2.0 + patience(ROUTER, 40.95)


def test_with_preemption_a_lower_priority_is_discarded_and_the_timer_runs_on() -> None:
    """6.4.2: else discard the ADVERTISEMENT."""
    before = watch(ROUTER, 1.0, 0.0)
    after = hear(ROUTER, before, says(99, interval=10), 2.0)
    assert (after.down_at, after.interval) == (before.down_at, 1.0)
    assert after.due is Why.LOWER_PRIORITY_HEARD


def test_without_preemption_a_lower_priority_is_accepted() -> None:
    """6.4.2: Preempt_Mode False."""
    router = replace(ROUTER, preempt=Never())
    after = hear(router, watch(router, 1.0, 0.0), says(1), 1000.0)
    assert after.down_at == 1000.0 + patience(router, 1.0)


@pytest.mark.parametrize("preempt", [After(10.0), WhenSynced(10.0)])
def test_a_delayed_preemption_counts_from_the_first_lower_advert(preempt: Preempt) -> None:
    router = replace(ROUTER, preempt=preempt)
    courted = hear(router, watch(router, 1.0, 0.0), says(50), 2.0)
    waiting = hear(router, courted, says(50), 11.9)
    assert waiting.down_at == 11.9 + patience(router, 1.0)
    assert hear(router, waiting, says(50), 12.0).down_at == waiting.down_at


def test_a_higher_advert_in_between_restarts_the_delay() -> None:
    router = replace(ROUTER, preempt=After(10.0))
    courted = hear(router, watch(router, 1.0, 0.0), says(50), 2.0)
    courted = hear(router, courted, says(150), 3.0)
    assert hear(router, courted, says(50), 12.5).down_at == 12.5 + patience(router, 1.0)


def test_synced_connections_end_the_wait_early() -> None:
    router = replace(ROUTER, preempt=WhenSynced(60.0))
    courted = hear(router, watch(router, 1.0, 0.0), says(50), 2.0)
    short = hear(router, replace(courted, coverage=0.89), says(50), 3.0)
    assert short.down_at == 3.0 + patience(router, 1.0)
    synced = hear(router, replace(courted, coverage=0.9), says(50), 3.0)
    assert (synced.down_at, synced.due) == (courted.down_at, Why.SYNCED)


def test_the_deadline_ends_the_wait_for_connections_and_says_so() -> None:
    router = replace(ROUTER, preempt=WhenSynced(60.0))
    courted = hear(router, watch(router, 1.0, 0.0), says(50), 2.0)
    over = hear(router, replace(courted, coverage=0.5), says(50), 62.0)
    assert (over.down_at, over.due) == (courted.down_at, Why.OVERDUE)


@pytest.mark.parametrize(
    ("coverage", "due"), [pytest.param(1.0, Why.SYNCED, id="synced"), (None, Why.OVERDUE)]
)
def test_after_an_unclean_exit_a_lower_master_is_left_alone_at_first(
    coverage: float | None, due: Why
) -> None:
    router = replace(ROUTER, preempt=WhenSynced(10.0), unclean_at=100.0)
    before = replace(watch(router, 1.0, 100.0), coverage=coverage)
    courted = hear(router, before, says(50), 101.0)
    waiting = hear(router, courted, says(50), 129.9)
    assert waiting.down_at == 129.9 + patience(router, 1.0)
    over = hear(router, waiting, says(50), 130.0)
    assert (over.down_at, over.due) == (waiting.down_at, due)


@pytest.mark.parametrize("priority", [0, 150])
def test_an_unclean_exit_delays_nothing_else(priority: int) -> None:
    """A master that gives up, and one that is silent from now on, are replaced as ever."""
    router = replace(ROUTER, preempt=WhenSynced(10.0))
    unclean = replace(router, unclean_at=100.0)
    before = watch(router, 1.0, 100.0)
    assert hear(unclean, before, says(priority), 101.0) == hear(
        router, before, says(priority), 101.0
    )
    always = replace(unclean, preempt=Always())
    assert hear(always, before, says(50), 101.0).down_at == before.down_at


def test_an_owner_preempts_whatever_the_mode() -> None:
    """6.1: the router that owns the addresses always preempts."""
    owner = replace(ROUTER, priority=255, preempt=Never())
    before = watch(owner, 1.0, 0.0)
    assert hear(owner, before, says(254), 1.0).down_at == before.down_at


@pytest.mark.parametrize("priority", [100, 255])
def test_the_operator_holds_even_an_owner_back(priority: int) -> None:
    router = replace(ROUTER, priority=priority, preempt=Always())
    held = replace(watch(router, 1.0, 0.0), held_until=30.0)
    waiting = hear(router, held, says(1), 29.0)
    assert waiting.down_at == 29.0 + patience(router, 1.0)
    over = hear(router, waiting, says(1), 30.0)
    assert (over.down_at, over.due) == (waiting.down_at, Why.HOLD_OVER)


def test_a_changed_priority_moves_the_running_timer_by_the_skews_difference() -> None:
    raised = replace(ROUTER, priority=228)
    after = retime(raised, watch(ROUTER, 1.0, 0.0), was=100)
    assert after.down_at == pytest.approx(patience(raised, 1.0))


def test_an_orphan_takes_over_in_its_turn() -> None:
    before = hear(ROUTER, watch(ROUTER, 1.0, 0.0), says(150), 1.0)
    for rank in range(3):
        after = inherit(before, rank, 2.0)
        assert after == replace(before, down_at=2.0 + rank * TURN, due=Why.TETHER)


def test_a_tether_only_shortens() -> None:
    before = replace(watch(ROUTER, 1.0, 0.0), down_at=2.03)
    assert inherit(before, 2, 2.0) is before
    assert inherit(before, 1, 2.0).down_at == 2.02


def test_an_orphan_that_hears_its_successor_follows_it() -> None:
    after = hear(ROUTER, inherit(watch(ROUTER, 1.0, 0.0), 1, 2.0), says(120), 2.01)
    assert (after.down_at, after.due) == (2.01 + patience(ROUTER, 1.0), Why.TIMER)


def test_neither_the_last_word_of_the_dead_nor_a_changed_priority_makes_an_orphan_wait() -> None:
    orphan = inherit(watch(ROUTER, 1.0, 0.0), 0, 2.0)
    after = hear(ROUTER, orphan, says(0), 2.001)
    assert (after.down_at, after.due) == (2.0, Why.TETHER)
    assert retime(ROUTER, orphan, 200) is orphan


def test_an_orphan_that_hears_a_lower_master_goes_on() -> None:
    after = hear(ROUTER, inherit(watch(ROUTER, 1.0, 0.0), 1, 2.0), says(50), 2.01)
    assert after.down_at == 2.0 + TURN
