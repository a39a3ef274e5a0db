import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_schemas.intent.pool import Health, Member, judge

MEMBERS = st.lists(
    st.builds(Member, st.sampled_from(["up", "down", "unknown"]), st.integers(0, 5), st.booleans()),
    max_size=6,
)


def pool(*health: Health, weight: int = 1) -> list[Member]:
    return [Member(each, weight) for each in health]


@pytest.mark.parametrize(
    ("members", "quorum", "hysteresis", "was_up", "up"),
    [
        pytest.param(pool("up", "up"), 1, 0, None, True, id="first-verdicts-up"),
        pytest.param(pool("down", "down"), 1, 0, None, False, id="first-verdicts-down"),
        pytest.param(pool("down", "unknown"), 1, 0, None, None, id="not-before-all-have-spoken"),
        pytest.param(pool("unknown"), 1, 0, True, True, id="unknown-is-not-held-against-it"),
        pytest.param(pool("unknown"), 1, 0, False, False, id="unknown-does-not-count-for-it"),
        pytest.param(pool("up", "unknown"), 2, 0, None, None, id="quorum-not-reached-yet"),
        pytest.param(pool("up", "down"), 2, 0, None, False, id="quorum-missed-by-all-known"),
        pytest.param(pool("up", "up", "down"), 3, 1, None, False, id="first-needs-plain-quorum"),
        pytest.param(pool("up", "up", "down"), 2, 1, False, False, id="hysteresis-to-rise"),
        pytest.param(pool("up", "up", "up"), 2, 1, False, True, id="hysteresis-reached"),
        pytest.param(pool("up", "down", "down"), 2, 1, True, True, id="hysteresis-to-fall"),
        pytest.param(pool("down", "down", "down"), 2, 1, True, False, id="nothing-live-is-down"),
        pytest.param(pool("up", "up", "up"), 3, 2, False, True, id="rise-is-clipped-to-the-pool"),
        pytest.param(pool("up"), 5, 0, None, True, id="quorum-is-clipped-to-the-pool"),
        pytest.param(pool("up", weight=0), 1, 0, True, True, id="weight-0-does-not-take-it-down"),
        pytest.param([], 1, 0, None, False, id="no-backend-is-down"),
    ],
)
def test_a_pool_is_judged(
    members: list[Member], quorum: int, hysteresis: int, was_up: bool | None, up: bool | None
) -> None:
    assert judge(members, quorum, hysteresis, was_up=was_up).up is up


def test_maintenance_of_the_last_backend_takes_the_service_down() -> None:
    assert judge([Member("up", 1, available=False)], 1, 0, was_up=True).up is False


def test_the_figures_say_what_was_counted() -> None:
    verdict = judge([Member("up", 3), Member("up", 0), Member("down", 2)], 2, 1, was_up=True)
    assert (verdict.live_weight, verdict.eligible, verdict.backends) == (4, 2, 3)
    assert (verdict.quorum, verdict.hysteresis) == (2, 1)


@given(MEMBERS, st.integers(1, 8), st.booleans())
def test_judging_twice_changes_nothing(members: list[Member], quorum: int, was_up: bool) -> None:
    first = judge(members, quorum, 0, was_up=was_up)
    assert judge(members, quorum, 0, was_up=first.up) == first


@given(MEMBERS, st.integers(1, 8), st.integers(0, 7), st.sampled_from([None, True, False]))
def test_with_nothing_eligible_or_unknown_a_service_is_down(
    members: list[Member], quorum: int, hysteresis: int, was_up: bool | None
) -> None:
    dead = [Member("down", each.weight) for each in members]
    assert judge(dead, quorum, min(hysteresis, quorum - 1), was_up=was_up).up is False
