import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_health.verdict.blast import Guard, Member, due, may_go

GUARD = Guard(2, 60.0)
FINE = Member()


def failing(since: float, *, refuses: bool = False) -> Member:
    return Member(since, refuses)


def out(since: float) -> Member:
    return Member(None, refuses=False, removed=since)


@pytest.mark.parametrize(
    ("pool", "permitted"),
    [
        pytest.param([failing(9), FINE, FINE], [True, False, False], id="there is room"),
        pytest.param([failing(3), failing(1), failing(2)], [False, True, True], id="first to fail"),
        pytest.param([failing(1), failing(1), failing(1)], [True, True, False], id="in order else"),
        pytest.param([out(50), out(60), failing(90)], [False] * 3, id="no room"),
        pytest.param([out(30), out(60), failing(90)], [False, False, True], id="room came"),
        pytest.param(
            [out(90), out(90), failing(1, refuses=True)], [False, False, True], id="refusal"
        ),
        pytest.param(
            [failing(1), failing(2), failing(3, refuses=True)],
            [True, False, True],
            id="a refusal takes its part of the room",
        ),
        pytest.param([failing(n, refuses=True) for n in range(4)], [True] * 4, id="all refuse"),
    ],
)
def test_the_guard_lets_go(pool: list[Member], permitted: list[bool]) -> None:
    assert may_go(pool, GUARD, 91.0) == permitted


def test_who_waits_is_asked_again_when_the_oldest_removal_is_over() -> None:
    assert due([out(50), out(60), failing(90)], GUARD, 91.0) == 110
    assert due([out(50), out(60), FINE], GUARD, 91.0) is None
    assert due([failing(1)], Guard(0, 60.0), 91.0) is None
    assert due([out(20), failing(1)], GUARD, 91.0) is None


MEMBERS = st.lists(
    st.one_of(
        st.builds(Member),
        st.builds(Member, st.floats(0, 100), st.booleans()),
        st.builds(lambda when: Member(removed=when), st.floats(0, 100)),
    ),
    max_size=12,
)


@given(MEMBERS, st.builds(Guard, st.integers(0, 12), st.floats(1, 200)), st.floats(100, 300))
def test_no_more_go_per_window_than_allowed_but_for_refusals(
    pool: list[Member], guard: Guard, now: float
) -> None:
    permitted = may_go(pool, guard, now)
    going = [m for m, may in zip(pool, permitted, strict=True) if may and m.failing is not None]
    recent = [m for m in pool if m.removed is not None and now < m.removed + guard.within]
    refusing = [m for m in going if m.refuses]
    only_failing = [m for m in going if not m.refuses]
    assert [m for m in pool if m.refuses and m.failing is not None] == refusing
    if only_failing:
        assert len(recent) + len(going) <= guard.most
    stay = [m for m, may in zip(pool, permitted, strict=True) if not may and m.failing is not None]
    if stay:
        assert len(recent) + len(going) >= guard.most


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(0, 5)), max_size=40), st.integers(0, 6))
def test_over_time_no_window_loses_more_than_allowed(
    failures: list[tuple[float, int]], most: int
) -> None:
    guard, now = Guard(most, 60.0), 0.0
    pool = [Member() for _ in range(6)]
    removals: list[float] = []
    for pause, place in failures:
        now += pause
        if pool[place].removed is None:
            pool[place] = Member(pool[place].failing or now)
        for each, may in enumerate(may_go(pool, guard, now)):
            if may and pool[each].failing is not None:
                pool[each] = Member(removed=now)
                removals.append(now)
        assert len([when for when in removals if now < when + guard.within]) <= most
