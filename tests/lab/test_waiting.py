import time

import pytest

from libra_lab.waiting import wait_until


def test_a_condition_that_holds_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    wait_until(lambda: True, "nothing")
    assert slept == []


def test_a_condition_that_never_holds_is_named() -> None:
    with pytest.raises(TimeoutError, match=r"the moon: not within 0\.05 s"):
        wait_until(lambda: False, "the moon", timeout=0.05, poll=0.01)


def test_a_break_begins_the_steady_time_anew() -> None:
    answers = iter([True, True, False])
    started = time.monotonic()
    wait_until(lambda: next(answers, True), "calm", poll=0.02, steady=0.1)
    assert time.monotonic() - started >= 0.14
