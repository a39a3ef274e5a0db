import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_health.verdict.debounce import UNDECIDED, Debounce, Standing, observe, settled

RISE, FALL = 2, 3


def after(state: Debounce, results: str) -> Debounce:
    for second, result in enumerate(results, start=1):
        passed = result == "+"
        state = observe(state, passed=passed, needed=RISE if passed else FALL, now=float(second))
    return state


@pytest.mark.parametrize(
    ("begun", "results", "standing"),
    [
        pytest.param(UNDECIDED, "+", Standing.UNKNOWN, id="one pass is not enough"),
        pytest.param(UNDECIDED, "++", Standing.UP, id="rise"),
        pytest.param(UNDECIDED, "--", Standing.UNKNOWN, id="too few failures"),
        pytest.param(UNDECIDED, "---", Standing.DOWN, id="fall at the start"),
        pytest.param(UNDECIDED, "--+--", Standing.UNKNOWN, id="a pass between"),
        pytest.param(settled(up=True, now=0.0), "--+--", Standing.UP, id="interrupted"),
        pytest.param(settled(up=True, now=0.0), "--+---", Standing.DOWN, id="in a row"),
        pytest.param(settled(up=False, now=0.0), "+-+-", Standing.DOWN, id="flapping"),
        pytest.param(settled(up=False, now=0.0), "++", Standing.UP, id="back"),
    ],
)
def test_only_equal_results_in_a_row_settle_a_verdict(
    begun: Debounce, results: str, standing: Standing
) -> None:
    assert after(begun, results).standing is standing


def test_it_knows_since_when() -> None:
    assert after(settled(up=True, now=0.0), "+--") == Debounce(Standing.UP, -2, 0.0, 2.0)
    assert after(settled(up=True, now=0.0), "+---") == Debounce(Standing.DOWN, 0, 2.0)


def test_nothing_new_gives_the_same_object() -> None:
    state = settled(up=True, now=0.0)
    assert after(state, "+++") is state


@given(st.text(alphabet="+-", min_size=RISE + FALL))
def test_the_standing_is_what_was_last_said_often_enough(results: str) -> None:
    ends = {"+" * RISE: -1, "-" * FALL: -1}
    for run in ends:
        at = results.rfind(run)
        ends[run] = at + len(run) if at >= 0 else -1
    up, down = ends.values()
    expected = Standing.UNKNOWN if up == down else Standing.UP if up > down else Standing.DOWN
    assert after(UNDECIDED, results).standing is expected


def test_a_streak_that_ends_moves_no_beginning() -> None:
    state = observe(UNDECIDED, passed=False, needed=1, now=5.0)
    state = observe(state, passed=True, needed=2, now=9.0)
    assert (state.since, state.against) == (5.0, 9.0)
    assert observe(state, passed=False, needed=1, now=10.0) == Debounce(Standing.DOWN, 0, 5.0)
