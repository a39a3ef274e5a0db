"""Who causes costly searches waits for them, and no other does."""

from libra_health.pauses import ALL_REST, CREDIT, MOST, REST, SUSPECTED, Pauses
from libra_health.wire import Target

ONE = "a+b", Target("192.0.2.1", 25)
OTHER = "a+b", Target("192.0.2.2", 25)


def test_what_costs_little_never_waits() -> None:
    pauses = Pauses()
    for place in range(1000):
        assert pauses.left(ONE, place * 0.01) == 0.0
        pauses.account(ONE, 0.0002, place * 0.01, exploded=False)
    assert not pauses.is_blamed(ONE, 10.0)


def test_a_costly_search_is_paid_by_its_culprit_alone() -> None:
    pauses = Pauses()
    pauses.account(ONE, 0.05, 100.0, exploded=True)
    assert abs(pauses.left(ONE, 100.0) - (REST * 0.05 - CREDIT)) < 1e-6
    assert pauses.is_blamed(ONE, 100.0)
    assert pauses.left(OTHER, 100.0) == 0.0
    assert not pauses.is_blamed(OTHER, 100.0)
    assert pauses.left(ONE, 101.0) == 0.0


def test_blame_ends_with_an_answer_that_was_decided_or_in_time() -> None:
    pauses = Pauses()
    pauses.account(ONE, 0.05, 100.0, exploded=True)
    assert not pauses.is_blamed(ONE, 100.0 + SUSPECTED)
    pauses.account(ONE, 0.0001, 102.0, exploded=False)
    assert not pauses.is_blamed(ONE, 102.0)


def spent(pauses: Pauses, culprits: int, cost: float, *, is_last: bool) -> float:
    """Have so many answer every 10 ms for 100 s; tell what share of the time went to them."""
    total = 0.0
    those = [("a+b", Target("192.0.2.1", port)) for port in range(culprits)]
    for turn in range(10_000):
        for culprit in those:
            if not pauses.left(culprit, turn * 0.01, is_last=is_last):
                pauses.account(culprit, cost, turn * 0.01, exploded=False)
                total += cost
    return total / 100.0


def test_one_has_a_twentieth_of_the_time_however_its_searches_end() -> None:
    for cost in (0.0005, 0.003, 0.049):
        assert spent(Pauses(), 1, cost, is_last=False) < 1 / REST + 0.01
        assert spent(Pauses(), 1, cost, is_last=True) < 1 / REST + 0.01


def test_all_that_were_costly_have_a_tenth_of_the_time_together() -> None:
    assert spent(Pauses(), 20, 0.03, is_last=False) < 1 / ALL_REST + 0.02
    assert spent(Pauses(), 20, 0.03, is_last=True) < 1 / ALL_REST + 0.02


def test_no_more_are_remembered_than_there_is_room_for() -> None:
    pauses = Pauses()
    for port in range(MOST + 10):
        pauses.account(("a+b", Target("192.0.2.1", port)), 0.05, 1.0, exploded=True)
    assert len(pauses._paid) == len(pauses._suspects) == MOST
    assert not pauses.is_blamed(("a+b", Target("192.0.2.1", 0)), 1.0)
