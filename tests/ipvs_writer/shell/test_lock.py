"""Of two writers one works; somebody else's process in the lock's place holds up neither."""

import os
import socket
from uuid import uuid4

import pytest
from structlog.testing import capture_logs
from tests.runtime.holders import NOBODY, holding

from libra_ipvs_writer.shell.lock import SecondWriter, only_writer

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may be somebody else")


@pytest.fixture
def name() -> str:
    return f"\0libra-ipvs-writer-test-{uuid4()}"


async def test_a_second_writer_is_refused_until_the_first_is_gone(name: str) -> None:
    async with only_writer(name):
        with pytest.raises(SecondWriter, match="Another ipvs-writer already writes"):
            async with only_writer(name):
                pass
    async with only_writer(name):
        pass


@needs_root
async def test_a_stranger_in_its_place_is_told_once_and_lets_one_writer_work(name: str) -> None:
    with holding(name, NOBODY) as pid, capture_logs() as told:
        async with only_writer(name):
            with pytest.raises(SecondWriter, match="Another ipvs-writer already writes"):
                async with only_writer(name):
                    pass
    [line] = told
    assert (line["log_level"], line["pid"], line["uid"]) == ("warning", pid, NOBODY)
    assert line["event"].endswith("stop who has it")
    assert "`ss -xap | grep @libra-ipvs-writer`" in line["why"]


async def test_who_holds_the_name_and_answers_nobody_is_asked_twice(name: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as deaf, capture_logs() as told:
        deaf.bind(name)
        async with only_writer(name):
            assert ["answers nobody" in line["why"] for line in told] == [True]
