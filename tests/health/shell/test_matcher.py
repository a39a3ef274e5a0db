"""Costly patterns: matched in a real process, bounded, and never in the driver's way."""

import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from libra_health.shell.matcher import Matcher
from libra_health.wire import Search, Searched, Target

HERE, THERE = Target("192.0.2.1", 25), Target("192.0.2.2", 25)

EVIL = Search("(a+)+$", b"a" * 64 + b"b")
FINE = Search("(a+)+b", b"aabaa")
FOUND = Searched(found=True, end=3)


@pytest.fixture
def matcher() -> Iterator[Matcher]:
    made = Matcher()
    yield made
    made.close()


def decided(matcher: Matcher, wanted: Search, whose: Target = HERE) -> Searched:
    """Ask until it was its turn: the process starts beside us."""
    for _ in range(2000):
        answer = matcher.search(wanted, whose)
        if isinstance(answer, Searched):
            return answer
        time.sleep(0.005)
    raise AssertionError("no match was tried")


def exploded(matcher: Matcher) -> None:
    """Have an answer explode, and be blamed for it even where the machine is busy."""
    decided(matcher, FINE)
    while not decided(matcher, EVIL).tried:
        pass


def test_a_match_is_found_with_its_end_or_not(matcher: Matcher) -> None:
    assert decided(matcher, FINE) == FOUND
    assert decided(matcher, Search("(a+)+b", b"c" * 100_000)) == Searched(found=False)


def test_an_explosion_is_cut_off_and_others_are_matched_after_it(matcher: Matcher) -> None:
    exploded(matcher)
    assert decided(matcher, FINE) == FOUND


def test_who_sent_what_explodes_waits_and_a_run_of_it_that_must_end_fails(
    matcher: Matcher,
) -> None:
    exploded(matcher)
    assert not isinstance(matcher.search(EVIL, HERE), Searched)
    assert matcher.search(EVIL, HERE, is_last=True) == Searched(None)


def test_the_same_pattern_is_matched_on_what_others_sent(matcher: Matcher) -> None:
    exploded(matcher)
    matcher.prepare(10.0)
    assert matcher.search(Search(EVIL.pattern, b"c"), THERE) == Searched(found=False)


def test_searches_that_are_costly_but_decided_take_a_small_share_of_the_time(
    matcher: Matcher,
) -> None:
    slow = Search("220 .*ready", b"220 " * 2500)
    decided(matcher, slow)
    began, spent = time.monotonic(), 0.0
    while (now := time.monotonic()) - began < 2.0:
        answer = matcher.search(slow, HERE)
        spent += time.monotonic() - now
        time.sleep(0.001 if isinstance(answer, Searched) else min(answer, 0.1))
    assert spent < 0.6


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
        assert not isinstance(matcher.search(FINE, HERE), Searched)
        assert matcher.search(FINE, HERE, is_last=True) == Searched(None, tried=False)
    assert decided(matcher, FINE) == FOUND


def test_nobody_is_blamed_for_a_process_that_is_not_there(matcher: Matcher) -> None:
    exploded(matcher)
    while isinstance(matcher.search(EVIL, HERE), float):
        time.sleep(0.05)
    matcher.close()
    deadline = time.monotonic() + 10.0
    with without_descriptors():
        answer = matcher.search(EVIL, HERE, is_last=True)
        while answer == Searched(None):  # until its rest is over
            assert time.monotonic() < deadline
            time.sleep(0.05)
            answer = matcher.search(EVIL, HERE, is_last=True)
    assert answer == Searched(None, tried=False)
