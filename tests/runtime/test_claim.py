"""Who may keep a program from working: another of its kind, and nobody else."""

import os
import socket
import subprocess
import sys
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier
from typing import Protocol
from uuid import uuid4

import pytest
from tests.runtime.holders import NOBODY, holding

from libra_runtime.claim import Claim, is_named

STRANGERS_ONLY = frozenset({os.geteuid() + 1})
"""Whom a claim trusts that takes us for a stranger."""

RIVAL = (
    "another libra-test works in this network namespace: stop it (`ss -xlp` on the host names who "
    "listens on @libra-test)"
)

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may be somebody else")

Told = list[tuple[str, dict[str, object]]]


class Claiming(Protocol):
    """A claim on the test's own name."""

    def __call__(self, trusted: Collection[int] | None = None) -> Claim: ...


@pytest.fixture
def name() -> str:
    return f"\0libra-test-{uuid4()}"


@pytest.fixture
def told() -> Told:
    return []


@pytest.fixture
def claiming(name: str, told: Told) -> Claiming:
    def warn(event: str, /, **facts: object) -> None:
        told.append((event, facts))

    return partial(Claim, "libra-test", warn, name)


def held(name: str, queue: int | None = 128) -> socket.socket:
    """Bind *name* as whoever runs this, and listen there unless *queue* is None."""
    holder = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    holder.bind(name)
    if queue is not None:
        holder.listen(queue)
    return holder


def names(name: str) -> set[str]:
    """Every name in use that begins with *name*, as the kernel shows it."""
    found = Path("/proc/net/unix").read_text().split()
    return {word for word in found if word.startswith(f"@{name[1:]}")}


def test_the_second_of_a_kind_waits_and_begins_when_the_first_has_ended(
    claiming: Claiming, told: Told
) -> None:
    first, second = claiming(), claiming()
    assert not first.is_held
    assert not first.take()
    assert second.take()
    assert second.rival == RIVAL
    assert (first.is_held, second.is_held) == (True, False)
    assert second.retry_at(1.0) < 2
    assert not second.take()
    first.close()
    assert second.take()
    assert second.rival is None
    assert second.retry_at(1.0) == float("inf")
    third = claiming()
    assert third.take()
    assert third.rival == RIVAL
    assert told == []
    for claim in (second, third):
        claim.close()


def test_waiting_for_long_leaves_the_queue_of_the_first_open_to_others(claiming: Claiming) -> None:
    first, second, third = claiming(), claiming(), claiming()
    first.take()
    for _ in range(300):
        second.take()
    assert second.rival == RIVAL
    third.take()
    assert not third.take()
    assert third.rival == RIVAL
    for claim in (second, third, first):
        claim.close()


def test_a_stranger_who_holds_the_name_is_told_once_and_costs_nothing(
    name: str, claiming: Claiming, told: Told
) -> None:
    claim = claiming(STRANGERS_ONLY)
    with held(name):
        for _ in range(300):
            assert not claim.take()
            assert claim.rival is None
        assert claim.retry_at(1.0) < 2
    [(event, facts)] = told
    assert event == "going on without the claim on this network namespace: stop who has it"
    assert facts == {
        "pid": os.getpid(),
        "uid": os.geteuid(),
        "why": "a process that is no libra-test listens there without being root "
        "(`ss -xap | grep @libra-test`)",
    }
    claim.take()
    assert claim.retry_at(1.0) == float("inf")
    assert names(name) == {f"@{name[1:]}"}
    other = claiming()
    assert other.take()
    for one in (claim, other):
        one.close()


@pytest.mark.parametrize("queue", [pytest.param(None, id="deaf"), pytest.param(0, id="full")])
def test_a_name_where_nobody_answers_is_a_rival_for_one_try_only(
    name: str, claiming: Claiming, told: Told, queue: int | None
) -> None:
    claim = claiming()
    with held(name, queue), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as filling:
        if queue is not None:
            filling.connect(name)
        assert claim.take()
        assert claim.rival == RIVAL
        assert claim.take()
        assert claim.rival is None
        assert not claim.take()
        assert claim.rival is None
    [(_, facts)] = told
    assert "has it and answers nobody" in str(facts["why"])
    claim.close()


@needs_root
def test_root_is_a_rival_and_an_ordinary_user_is_none(name: str, claiming: Claiming) -> None:
    found = []
    for uid in (0, NOBODY):
        with holding(name, uid):
            claim = claiming()
            claim.take()
            found.append(claim.rival)
            claim.close()
    assert found == [RIVAL, None]


@needs_root
def test_beside_a_stranger_the_second_of_a_kind_waits_for_the_first_all_the_same(
    name: str, claiming: Claiming, told: Told
) -> None:
    first, second = claiming(), claiming()
    with holding(name, NOBODY) as pid:
        first.take()
        assert first.rival is None
        assert second.take()
        assert second.rival == RIVAL
        assert not second.take()
        first.close()
        assert second.take()
        assert second.rival is None
    assert [facts["pid"] for _, facts in told] == [pid, pid]
    second.close()


@needs_root
def test_of_two_that_start_at_once_beside_a_stranger_never_both_work(
    name: str, claiming: Claiming
) -> None:
    with holding(name, NOBODY), ThreadPoolExecutor(2) as both:
        for _ in range(100):
            start = Barrier(2)

            def begin(claim: Claim, start: Barrier = start) -> str | None:
                start.wait(60)
                claim.take()
                return claim.rival

            pair = claiming(), claiming()
            assert list(both.map(begin, pair)).count(None) < 2
            for claim in pair:
                claim.close()


@needs_root
def test_whoever_finds_the_name_free_still_waits_for_the_one_beside_it(
    name: str, claiming: Claiming
) -> None:
    first, second = claiming(), claiming()
    with holding(name, NOBODY):
        first.take()
    assert names(name) - {f"@{name[1:]}"} != set()
    second.take()
    assert second.rival == RIVAL
    assert not first.take()
    assert first.rival is None
    assert names(name) == {f"@{name[1:]}"}
    assert not second.take()
    assert second.rival == RIVAL
    for claim in (first, second):
        claim.close()


@needs_root
def test_strangers_who_listen_beside_the_name_are_no_rivals(
    name: str, claiming: Claiming, told: Told
) -> None:
    claim = claiming()
    with holding(f"{name}+0123456789abcdef", NOBODY), held(f"{name}+deaf", None):
        assert not claim.take()
        assert claim.retry_at(1.0) == float("inf")
    assert told == []
    claim.close()


def test_a_claim_costs_the_machine_no_more_than_its_own_module() -> None:
    program = "import sys, libra_runtime.claim; print(*{m.split('.')[0] for m in sys.modules})"
    arguments = [sys.executable, "-c", program]
    loaded = subprocess.run(arguments, check=True, capture_output=True, text=True).stdout.split()
    assert "libra_runtime" in loaded
    assert not {"asyncio", "json", "logging", "pydantic", "structlog"} & set(loaded)


def test_who_goes_by_a_name_is_found_without_asking(name: str) -> None:
    program = name[1:]
    assert not is_named(program)
    with held(name):
        assert is_named(program)
        assert not is_named(program[:-1])
    with held(f"{name}+token"):
        assert is_named(program)
    assert not is_named(program)
