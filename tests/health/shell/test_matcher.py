"""Costly patterns: matched in a real process, bounded, and never in the driver's way."""

import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from libra_health.shell.matcher import PAUSE, Matcher
from libra_health.wire import Search, Searched

EVIL = Search("(a+)+$", b"a" * 64 + b"b")
FINE = Search("(a+)+b", b"aabaa")
FOUND = Searched(found=True, end=3)


@pytest.fixture
def matcher() -> Iterator[Matcher]:
    made = Matcher()
    yield made
    made.close()


def decided(matcher: Matcher, wanted: Search) -> Searched:
    """Ask until it was the pattern's turn: the process starts beside us."""
    for _ in range(2000):
        answer = matcher.search(wanted)
        if answer.tried:
            return answer
        time.sleep(0.005)
    raise AssertionError("no match was tried")


def test_a_match_is_found_with_its_end_or_not(matcher: Matcher) -> None:
    assert decided(matcher, FINE) == FOUND
    assert decided(matcher, Search("(a+)+b", b"c" * 100_000)) == Searched(found=False)


def test_an_explosion_is_cut_off_and_others_are_matched_after_it(matcher: Matcher) -> None:
    decided(matcher, FINE)
    assert decided(matcher, EVIL) == Searched(None)
    assert decided(matcher, FINE) == FOUND


def test_a_pattern_that_exploded_costs_nothing_for_a_while(matcher: Matcher) -> None:
    decided(matcher, FINE)
    decided(matcher, EVIL)
    began = time.monotonic()
    answers = [matcher.search(EVIL) for _ in range(1000)]
    if time.monotonic() - began < PAUSE:
        assert set(answers) == {Searched(None, tried=False)}


def test_a_process_that_was_killed_is_replaced(matcher: Matcher) -> None:
    decided(matcher, FINE)
    assert matcher._process is not None
    matcher._process.kill()
    matcher._process.wait()
    assert decided(matcher, FINE) == FOUND


@contextmanager
def without_descriptors() -> Iterator[None]:
    """Let this process open nothing more for a while."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(each.name) for each in Path("/proc/self/fd").iterdir())
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, before[1]))
    filling: list[int] = []
    try:
        while True:
            try:
                filling.append(os.dup(0))
            except OSError:
                break
        yield
    finally:
        for each in filling:
            os.close(each)
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_where_no_process_can_be_started_nothing_is_tried_until_it_can(matcher: Matcher) -> None:
    with without_descriptors():
        matcher.prepare(0.0)
        assert matcher.search(FINE) == Searched(None, tried=False)
    assert decided(matcher, FINE) == FOUND
