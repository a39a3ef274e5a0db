"""What the rows reckon from: a client's answers, the times of adverts, samples that may lack."""

import pytest
from bench.client import Watch
from bench.lateness import lateness, quantiles
from bench.report import Measured, figures, repeats


@pytest.mark.parametrize(
    ("answered", "gap"),
    [
        pytest.param({0, 1, 2, 3}, 0.0, id="all answered"),
        pytest.param({0, 3}, 2.0, id="from the first unanswered to the next answered"),
        pytest.param({0, 2}, 1.0, id="the longer of two"),
        pytest.param({0}, 2.0, id="unanswered to the end"),
    ],
)
def test_a_gap_begins_with_a_question_that_nobody_answered(answered: set[int], gap: float) -> None:
    assert Watch("192.0.2.10", 1, [1.0, 2.0, 3.0, 4.0], answered).gap() == gap


def test_a_client_that_paused_and_was_answered_has_seen_no_gap() -> None:
    watch = Watch("192.0.2.10", 1, [1.0, 2.0, 9.0], {0, 1, 2})
    assert (watch.gap(), watch.pause()) == (0.0, 7.0)


def test_an_advert_is_late_by_what_it_came_after_its_interval() -> None:
    assert lateness([0.0, 1.5, 2.0], 1.0) == [500.0, -500.0]


def test_one_in_a_thousand_exceeds_the_last_quantile() -> None:
    assert quantiles(list(range(1000))) == {"p50": 500, "p99": 990, "p99.9": 999}
    assert quantiles([7.0]) == {"p50": 7.0, "p99": 7.0, "p99.9": 7.0}


def test_what_has_no_sample_has_neither_median_nor_worst() -> None:
    assert figures([]) == {"n": 0}
    assert figures([1.0, 3.0]) == {"median": 2.0, "worst": 3.0, "n": 2}


def test_the_first_case_stands_for_the_row() -> None:
    first, second = Measured([1.0], more={"bound": 2.0}), Measured([5.0])
    row = Measured.of({"first": first, "second": second})
    assert (row.libra, row.more, list(row.cases)) == ([1.0], {"bound": 2.0}, ["first", "second"])


def test_n_says_how_often_a_thing_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("N", "2")
    assert repeats(20) == 2
    monkeypatch.delenv("N")
    assert repeats(20) == 20
