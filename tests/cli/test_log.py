"""Moments: how a point of the log is named."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from libra_cli.exits import UNREACHABLE, CommandError
from libra_cli.log import Moment
from libra_cli.testing import Host
from libra_runtime.nats_server import answers, find_binary
from libra_runtime.stored import Record

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def stored(sequence: int, time: datetime) -> Record:
    return Record("lvs.a.x.y.z", b"", sequence, time, sequence)


def test_a_number_is_a_sequence() -> None:
    moment = Moment.parse("7", NOW)
    assert not moment.is_before(stored(7, NOW))
    assert moment.is_before(stored(8, NOW))


@pytest.mark.parametrize(
    ("clock", "meant"),
    [
        ("03:04Z", datetime(2026, 1, 2, 3, 4, tzinfo=UTC)),
        ("03:04:05.5Z", datetime(2026, 1, 1, 3, 4, 5, 500_000, tzinfo=UTC)),
        ("03:12Z", datetime(2026, 1, 1, 3, 12, tzinfo=UTC)),
        ("00:30+05:00", datetime(2026, 1, 1, 19, 30, tzinfo=UTC)),
        ("23:00-05:00", datetime(2026, 1, 1, 4, 0, tzinfo=UTC)),
    ],
)
def test_a_time_of_day_is_the_last_that_has_passed(clock: str, meant: datetime) -> None:
    assert Moment.parse(clock, NOW).time == meant


def test_a_time_of_day_without_an_offset_is_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert Moment.parse("03:12", NOW).time == datetime(2026, 1, 1, 18, 12, tzinfo=UTC)
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("text", ["25:00", "03:12:99", "03:12 yesterday"])
def test_what_no_clock_says_is_refused(text: str) -> None:
    with pytest.raises(CommandError, match="is no moment"):
        Moment.parse(text, NOW)


@pytest.mark.parametrize("text", ["10m", "2026-01-02T02:54:05+00:00", "2026-01-02T02:54:05Z"])
def test_a_time_is_when_the_log_stored_it(text: str) -> None:
    moment = Moment.parse(text, NOW)
    ago = NOW - timedelta(minutes=10)
    assert not moment.is_before(stored(9, ago))
    assert moment.is_before(stored(1, ago + timedelta(microseconds=1)))


@pytest.mark.parametrize(
    "text",
    ["yesterday", "", "-5", "1.2.3s", "99999999d", "2026-13-01", "0001-01-01T00:00:00+05:00"],
)
def test_anything_else_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(CommandError, match="write a sequence such as 1234"):
        Moment.parse(text, NOW)


def test_what_the_log_has_not_reached_is_refused_with_its_last_sequence() -> None:
    Moment.parse("7", NOW).require_reached(7, NOW)
    Moment.parse("0s", NOW).require_reached(7, NOW)
    with pytest.raises(CommandError, match="no sequence 8: its last is 7"):
        Moment.parse("8", NOW).require_reached(7, NOW)
    with pytest.raises(CommandError, match=r"2030-01-01T.* is yet to come: .* 7"):
        Moment.parse("2030-01-01T00:00:00Z", NOW).require_reached(7, NOW)


@pytest.mark.parametrize("is_there", [True, False])
def test_whether_the_node_is_up_is_asked_only_where_nobody_answers(
    host: Host, *, is_there: bool
) -> None:
    assert host.libra("init", "--stage", "files").returncode == 0
    config = host.directory / "late.conf"
    text = host.site.server_config.read_text()
    config.write_text(text.replace("sync_interval: always", ""))
    with server(config, host.site.endpoint) if is_there else nullcontext():
        done = host.libra("events")
    assert done.returncode == UNREACHABLE
    assert ("is the node up?" in done.stderr) != is_there
    assert ("set sync_interval: always\n" in done.stderr) == is_there


@contextmanager
def server(config: Path, address: tuple[str, int]) -> Iterator[None]:
    process = subprocess.Popen([find_binary(), "-c", config], stderr=subprocess.DEVNULL)
    try:
        guard = time.monotonic() + 60
        while not answers(*address):
            assert time.monotonic() < guard
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait()
