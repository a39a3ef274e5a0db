"""Who may keep a machine from working: another of its kind, and nobody else."""

import json
import os
import socket
import subprocess
import sys
from uuid import uuid4

import pytest

from libra_vrrp.shell.claim import RIVAL, Claim

STRANGERS_ONLY = frozenset({os.geteuid() + 1})
"""Whom a claim trusts that takes us for a stranger."""


@pytest.fixture
def name() -> str:
    return f"\0libra-vrrp-test-{uuid4()}"


def held(name: str, queue: int | None = 128) -> socket.socket:
    """Bind *name* as whoever runs this, and listen there unless *queue* is None."""
    holder = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    holder.bind(name)
    if queue is not None:
        holder.listen(queue)
    return holder


def test_the_second_of_a_kind_waits_and_begins_when_the_first_has_ended(name: str) -> None:
    first, second = Claim(name), Claim(name)
    assert not first.take()
    assert second.take()
    assert second.rival == RIVAL
    assert second.retry_at(1.0) < 2
    assert not second.take()
    first.close()
    assert second.take()
    assert second.retry_at(1.0) == float("inf")
    third = Claim(name)
    assert third.take()
    assert third.rival == RIVAL
    for claim in (second, third):
        claim.close()


def test_waiting_for_long_leaves_the_queue_of_the_first_open_to_others(name: str) -> None:
    first, second, third = Claim(name), Claim(name), Claim(name)
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
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    claim = Claim(name, STRANGERS_ONLY)
    with held(name):
        for _ in range(300):
            assert not claim.take()
            assert claim.rival is None
        assert claim.retry_at(1.0) < 2
    [line] = capsys.readouterr().err.splitlines()
    said = json.loads(line)
    assert (said["level"], said["pid"], said["uid"]) == ("warning", os.getpid(), os.geteuid())
    claim.take()
    assert claim.retry_at(1.0) == float("inf")
    other = Claim(name)
    assert other.take()
    for one in (claim, other):
        one.close()


@pytest.mark.parametrize("queue", [pytest.param(None, id="deaf"), pytest.param(0, id="full")])
def test_a_name_where_nobody_answers_is_a_rival_for_one_try_only(
    name: str, queue: int | None
) -> None:
    claim = Claim(name)
    with held(name, queue), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as filling:
        if queue is not None:
            filling.connect(name)
        assert claim.take()
        assert claim.rival == RIVAL
        assert claim.take()
        assert claim.rival is None
        assert not claim.take()
        assert claim.rival is None
    claim.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may be somebody else")
def test_root_is_a_rival_and_an_ordinary_user_is_none(name: str) -> None:
    program = """
import os, socket, sys
holder = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
holder.bind("\\0" + sys.argv[1])
os.setresuid(*[int(sys.argv[2])] * 3)
holder.listen()
print("held", flush=True)
sys.stdin.read()
"""
    found = []
    for uid in (0, 65534):
        arguments = [sys.executable, "-c", program, name[1:], str(uid)]
        with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            claim = Claim(name)
            claim.take()
            found.append(claim.rival)
            claim.close()
            holder.communicate()
    assert found == [RIVAL, None]
