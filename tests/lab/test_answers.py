import pytest

from libra_lab.answers import Answer, failures, longest_gap, longest_silence, shares


def answered(at: float, server: str = "w1") -> Answer:
    return Answer(at - 0.01, at, server)


def failed(at: float) -> Answer:
    return Answer(at - 0.5, at, None, "timed out")


def test_shares_count_who_answered_and_failures_who_did_not() -> None:
    answers = [answered(1), answered(2, "w2"), answered(3), failed(4)]
    assert shares(answers) == {"w1": 2, "w2": 1}
    assert failures(answers) == [failed(4)]


@pytest.mark.parametrize(
    ("answers", "gap"),
    [
        pytest.param([], 10.0, id="no answer at all"),
        pytest.param([failed(4), failed(5)], 10.0, id="failures are no answers"),
        pytest.param([answered(9), answered(2), answered(3)], 6.0, id="between two answers"),
        pytest.param([answered(7)], 7.0, id="before the first"),
        pytest.param([answered(1)], 9.0, id="after the last"),
        pytest.param([answered(5), answered(12)], 5.0, id="what came after the end is too late"),
    ],
)
def test_the_longest_gap_is_time_without_an_answer(answers: list[Answer], gap: float) -> None:
    assert longest_gap(answers, 0.0, 10.0) == gap


def test_silence_is_measured_between_arrivals() -> None:
    assert longest_silence([1.0, 1.5, 4.0, 4.1]) == 2.5
    assert longest_silence([1.0]) == 0.0
