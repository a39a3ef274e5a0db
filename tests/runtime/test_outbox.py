"""The outbox and its spool: in order, bounded, surviving the process."""

import asyncio
import os
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_runtime import stamp
from libra_runtime.chain import require_storable
from libra_runtime.journal import Fenced, JournalUnavailable
from libra_runtime.outbox import MAX_ENTRIES, UNIT_ENTRIES, Outbox
from libra_runtime.spool import parse, render
from libra_schemas.envelope import Draft
from libra_schemas.events import BackendState, ConfigApplied, Stopped


def verdict(backend: str) -> Draft:
    data = BackendState(
        service="web",
        backend=backend,
        address="10.0.0.1",
        port=80,
        protocol="tcp",
        target="a" * 64,
        up=False,
    )
    return stamp.draft("backend.down", ("web", backend), data, cause="c" * 36, configrev="4-abc")


def config(size: int) -> Draft:
    data = ConfigApplied(number=1, hash="a" * 64, document={"x": "y" * size}, author="test")
    return stamp.draft("config.applied", ("cluster",), data)


def make(directory: Path, service: str, max_entries: int = MAX_ENTRIES) -> Outbox:
    require = partial(require_storable, node="a", service=service)
    return Outbox(directory / f"{service}.outbox", require, max_entries)


def backends(outbox: Outbox) -> list[str]:
    return [entry.draft.key[-1] for entry in outbox.entries]


@given(st.text(max_size=200))
def test_a_draft_survives_its_line(why: str) -> None:
    draft = stamp.draft("node.stopped", ("health",), Stopped(service="health", why=why))
    line = render(draft)
    assert line.count(b"\n") == 1
    assert parse(line) == draft


@given(st.binary(max_size=200))
def test_any_line_is_a_draft_or_nothing(line: bytes) -> None:
    assert parse(line) is None


def test_what_waited_is_taken_over_by_the_next_process(tmp_path: Path) -> None:
    first = make(tmp_path, "health")
    drafts = [verdict("w1"), verdict("w2")]
    for draft in drafts:
        first.put(draft)
    second = make(tmp_path, "health")
    assert [entry.draft for entry in second.entries] == drafts
    assert second.arrived.is_set()


def test_a_torn_line_is_counted_and_skipped(tmp_path: Path) -> None:
    path = tmp_path / "health.outbox"
    whole = render(verdict("w1"))
    path.write_bytes(whole + render(verdict("w2"))[:-20])
    outbox = make(tmp_path, "health")
    assert backends(outbox) == ["w1"]
    assert outbox.spool.lost == 1
    assert path.read_bytes() == whole


def test_stored_entries_leave_and_the_spool_is_empty_in_the_end(tmp_path: Path) -> None:
    outbox = make(tmp_path, "health")
    for name in ("w1", "w2", "w3"):
        outbox.put(verdict(name))
    outbox.next_unit()
    outbox.stored(2, 7)
    assert backends(outbox) == ["w3"]
    outbox.stored(1, 8)
    assert not outbox.arrived.is_set()
    assert (tmp_path / "health.outbox").read_bytes() == b""


async def test_waiters_learn_the_sequence_of_their_own_event(tmp_path: Path) -> None:
    outbox = make(tmp_path, "health")
    waiters = [asyncio.get_running_loop().create_future() for _ in range(3)]
    for number, waiter in enumerate(waiters):
        outbox.put(verdict(f"w{number}"), waiter)
    outbox.stored(3, 12)
    assert [waiter.result() for waiter in waiters] == [10, 11, 12]


def test_a_unit_holds_at_most_one_atomic_batch(tmp_path: Path) -> None:
    outbox = make(tmp_path, "health")
    for number in range(UNIT_ENTRIES + 5):
        outbox.put(verdict(f"w{number}"))
    assert len(outbox.next_unit()) == UNIT_ENTRIES
    outbox.stored(UNIT_ENTRIES, UNIT_ENTRIES)
    assert len(outbox.next_unit()) == 5


def test_large_events_go_in_units_of_their_own(tmp_path: Path) -> None:
    outbox = make(tmp_path, "console")
    for _ in range(3):
        outbox.put(config(3_000_000))
    assert len(outbox.next_unit()) == 1


def test_settling_lets_go_what_the_log_holds(tmp_path: Path) -> None:
    outbox = make(tmp_path, "health")
    drafts = [verdict("w1"), verdict("w2"), verdict("w3")]
    for draft in drafts:
        outbox.put(draft)
    assert outbox.settle("unknown", 3) == 0
    assert outbox.settle(drafts[1].id, 4) == 2
    assert backends(outbox) == ["w3"]


def test_overflow_keeps_the_newest_of_every_register(tmp_path: Path) -> None:
    outbox = make(tmp_path, "health", max_entries=10)
    for number in range(35):
        outbox.put(verdict(f"w{number % 5}"))
    assert backends(outbox)[-5:] == ["w0", "w1", "w2", "w3", "w4"]
    assert len(outbox.entries) <= 10
    assert outbox.coalesced == 35 - len(outbox.entries)
    assert len(make(tmp_path, "health").entries) == len(outbox.entries)


def test_what_is_in_flight_is_never_coalesced(tmp_path: Path) -> None:
    outbox = make(tmp_path, "health", max_entries=10)
    for _ in range(3):
        outbox.put(verdict("w1"))
    flying = [entry.draft.id for entry in outbox.next_unit()]
    for _ in range(20):
        outbox.put(verdict("w1"))
    assert [entry.draft.id for entry in outbox.entries][:3] == flying


async def test_who_waits_for_a_coalesced_event_is_told_by_the_one_that_stayed(
    tmp_path: Path,
) -> None:
    outbox = make(tmp_path, "health", max_entries=2)
    waiter: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    outbox.put(verdict("w1"), waiter)
    outbox.put(verdict("w1"))
    outbox.put(verdict("w1"))
    outbox.stored(1, 9)
    assert waiter.result() == 9


def test_registers_that_do_not_fit_lose_the_oldest(tmp_path: Path) -> None:
    outbox = make(tmp_path, "health", max_entries=10)
    for number in range(30):
        outbox.put(verdict(f"w{number}"))
    assert backends(outbox)[-1] == "w29"
    assert len(outbox.entries) + outbox.coalesced == 30


@pytest.mark.parametrize(
    ("draft", "sentence"),
    [
        pytest.param(
            stamp.draft("node.stopped", ("console",), Stopped(service="vrrp")),
            "data of vrrp",
            id="contradiction",
        ),
        pytest.param(
            stamp.draft(
                "node.stopped", ("console",), Stopped(service="console"), cause="x" * 70000
            ),
            r"node\.stopped of 70\d+ bytes",
            id="large",
        ),
        pytest.param(config(8 * 1024 * 1024), r"config\.applied of 8\d+ bytes", id="payload"),
    ],
)
def test_an_event_that_can_never_be_stored_is_refused(
    tmp_path: Path, draft: Draft, sentence: str
) -> None:
    outbox = make(tmp_path, "console")
    with pytest.raises(ValueError, match=sentence):
        outbox.put(draft)
    assert not outbox.entries


def test_an_event_in_the_spool_that_can_never_be_stored_is_counted_and_dropped(
    tmp_path: Path,
) -> None:
    odd = stamp.draft("node.stopped", ("health",), Stopped(service="vrrp"))
    (tmp_path / "health.outbox").write_bytes(render(odd) + render(verdict("w1")))
    outbox = make(tmp_path, "health")
    assert backends(outbox) == ["w1"]
    assert outbox.spool.lost == 1


def test_a_predecessor_whose_spool_was_taken_over_is_told(tmp_path: Path) -> None:
    old = make(tmp_path, "health")
    new = make(tmp_path, "health")
    new.put(verdict("w1"))
    old.put(verdict("w2"))
    with pytest.raises(Fenced, match="taken over"):
        old.compact()
    assert backends(make(tmp_path, "health")) == ["w1"]


@contextmanager
def room(size: int) -> Iterator[None]:
    """Let no file grow beyond *size* bytes, as on a full disk: writes stop in the middle."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_tears_no_line_and_is_told(tmp_path: Path) -> None:
    outbox = make(tmp_path, "health")
    line = len(render(verdict("w1")))
    with room(line * 5 // 2):
        for name in ("w1", "w2", "w3", "w4"):
            outbox.put(verdict(name))
    assert backends(outbox) == ["w1", "w2", "w3", "w4"]
    assert "in memory only" in (outbox.spool.trouble or "")
    successor = make(tmp_path, "health")
    assert backends(successor) == ["w1", "w2"]
    assert successor.spool.lost == 0


def test_a_spool_is_whole_again_once_the_disk_has_room(tmp_path: Path) -> None:
    outbox = make(tmp_path, "health")
    with room(1000):
        for number in range(10):
            outbox.put(verdict(f"w{number}"))
    for number in range(10, 256):
        outbox.put(verdict(f"w{number}"))
    assert outbox.spool.trouble is None
    assert backends(make(tmp_path, "health")) == [f"w{number}" for number in range(256)]


def test_a_spool_that_cannot_be_rewritten_keeps_what_it_has(tmp_path: Path) -> None:
    outbox = make(tmp_path, "health")
    outbox.put(verdict("w1"))
    with room(100):
        outbox.compact()
    assert "in memory only" in (outbox.spool.trouble or "")
    assert backends(make(tmp_path, "health")) == ["w1"]
    assert [path.name for path in tmp_path.iterdir()] == ["health.outbox"]


def test_a_disk_that_is_read_only_leaves_the_outbox_in_memory(tmp_path: Path) -> None:
    (tmp_path / "health.outbox").mkdir()  # what cannot be opened for writing, also by root
    outbox = make(tmp_path, "health")
    outbox.put(verdict("w1"))
    assert backends(outbox) == ["w1"]
    assert "in memory only" in (outbox.spool.trouble or "")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_state_directory_that_we_may_not_write_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    os.seteuid(65534)
    try:
        with pytest.raises(JournalUnavailable, match=r"Permission denied; uid \d+ must be able"):
            make(tmp_path / "state", "health")
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("gone", ["file", "directory"])
def test_a_spool_that_was_deleted_is_written_anew_with_all_that_waits(
    tmp_path: Path, gone: str
) -> None:
    folder = tmp_path / "state"
    first = make(folder, "health")
    first.put(verdict("w1"))
    if gone == "file":
        first.spool.path.unlink()
    else:
        shutil.rmtree(folder)
    first.put(verdict("w2"))
    assert first.spool.trouble is None
    assert backends(make(folder, "health")) == ["w1", "w2"]


def test_a_predecessor_leaves_the_spool_of_its_successor_alone(tmp_path: Path) -> None:
    first = make(tmp_path, "health")
    second = make(tmp_path, "health")
    second.put(verdict("w1"))
    first.put(verdict("w2"))
    assert backends(make(tmp_path, "health")) == ["w1"]
