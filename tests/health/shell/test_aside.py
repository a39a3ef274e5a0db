"""Errands are done beside the driver's thread, here played by the test: it does what is posted."""

import errno
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import structlog
from tests.health.shell.programs import (
    PATIENCE,
    eventually,
    is_gone,
    no_children_left,
    open_ground,
)

from libra_health.errands import (
    Done,
    Errand,
    Executed,
    FileRead,
    FileUnread,
    ReadFile,
    Unexecuted,
)
from libra_health.errands import Execute as Run
from libra_health.shell import aside
from libra_health.shell.aside import PROGRAMS, READERS, Aside
from libra_health.shell.desk import Job
from libra_health.shell.program import Program, swept
from libra_health.shell.reading import Reading
from libra_runtime.leftovers import mark_of

SH = "/bin/sh"


class Stand:
    """A driver's thread: what is posted is done where the test says so."""

    def __init__(self, mark: str = "") -> None:
        self.posted: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.aside = Aside(self.posted.put, mark)
        self.told: dict[Job, Done] = {}

    def begin(self, errand: Errand) -> Job:
        job: Job

        def told(done: Done) -> None:
            assert job not in self.told
            self.told[job] = done

        job = self.aside.begin(errand, told)
        return job

    def end_of(self, errand: Errand) -> Done:
        job = self.begin(errand)
        self.hear(job)
        return self.told[job]

    def hear(self, *jobs: Job) -> None:
        """Do what is posted until all of *jobs* have ended."""
        until = time.monotonic() + PATIENCE
        while any(job not in self.told for job in jobs):
            self.posted.get(timeout=until - time.monotonic())()


@pytest.fixture(autouse=True)
def childless() -> Iterator[None]:
    """Have no test leave a process."""
    with no_children_left():
        yield


@pytest.fixture
def stand() -> Iterator[Stand]:
    made = Stand()
    yield made
    made.aside.close()
    assert made.aside.running == 0


def workers() -> int:
    return sum(each.name in {"program", "reader"} for each in threading.enumerate())


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.fixture
def ground() -> Iterator[Path]:
    """Give a directory that programs may write to."""
    with open_ground() as path:
        yield path


def shell(text: str, *, limit: int = 4096) -> Run:
    return Run((SH, "-c", text), (("PATH", "/usr/bin:/bin"),), limit=limit)


def numbers(path: Path, count: int) -> list[int]:
    """Wait until a program has written *count* process ids, one a line."""
    eventually(lambda: path.exists() and path.read_text().count("\n") >= count)
    return [int(line) for line in path.read_text().split()]


def test_a_program_tells_its_status_and_its_output(stand: Stand) -> None:
    assert stand.end_of(shell("echo well; echo unheard >&2; exit 3")) == Executed(3, b"well\n")


def test_a_signal_is_a_negative_status(stand: Stand) -> None:
    assert stand.end_of(shell("kill -TERM $$")) == Executed(-15, b"")


def test_a_program_finds_exactly_the_environment_given(stand: Stand) -> None:
    run = Run(("/usr/bin/env",), (("LIBRA_PORT", "80"), ("LANG", "C.UTF-8")))
    ends = stand.end_of(run)
    assert isinstance(ends, Executed)
    *given, errand = ends.output.decode().splitlines()
    assert given == ["LIBRA_PORT=80", "LANG=C.UTF-8"]
    assert errand.startswith("LIBRA_ERRAND=")


@pytest.mark.parametrize("ends", ["", "; sleep 99"], ids=["ends by itself", "is cancelled"])
def test_a_program_leaves_no_daemon_behind(stand: Stand, ground: Path, ends: str) -> None:
    told = ground / "pids"
    daemon = f"setsid sh -c 'echo $$ >>{told}; (setsid sleep 99 & echo $! >>{told}); sleep 99'"
    job = stand.begin(shell(f"{daemon} >/dev/null & sleep 0.3{ends}"))
    left = numbers(told, 2)
    if ends:
        job()
    else:
        stand.hear(job)
    eventually(lambda: all(map(is_gone, left)))


def test_a_program_that_leaves_its_group_spares_the_other_runs(stand: Stand, ground: Path) -> None:
    other = stand.begin(shell(f"setsid sh -c 'echo $$ >>{ground}/pid; sleep 99' & sleep 99"))
    (daemon,) = numbers(ground / "pid", 1)
    assert stand.end_of(shell("setsid sleep 99 >/dev/null & exit 0")) == Executed(0, b"")
    assert not is_gone(daemon)
    other()
    eventually(lambda: is_gone(daemon))


def test_what_a_killed_service_left_the_next_one_kills(tmp_path: Path) -> None:
    mine, other = tmp_path / "a", tmp_path / "b"
    assert swept(mine) == ""
    mine.mkdir()
    other.mkdir()
    stands = [Stand(mark_of(directory)) for directory in (mine, other)]
    jobs = [each.begin(shell("sleep 99")) for each in stands]
    eventually(lambda: all(job.lack is None for job in jobs))
    with structlog.testing.capture_logs() as said:
        assert swept(mine) == mark_of(mine)
    stands[0].hear(jobs[0])
    assert stands[0].told[jobs[0]] == Executed(-9, b"")
    assert [line["event"] for line in said] == ["programs of an earlier health service killed"]
    assert stands[1].aside.running == 1
    for each in stands:
        each.aside.close()


def test_a_program_has_no_input_and_stands_at_the_root(stand: Stand) -> None:
    assert stand.end_of(shell("cat; pwd")) == Executed(0, b"/\n")


def test_a_program_leads_a_group_and_a_session_of_its_own(stand: Stand) -> None:
    done = stand.end_of(shell("echo $$; cut -d' ' -f5,6 /proc/$$/stat"))
    assert isinstance(done, Executed)
    assert len(set(done.output.split())) == 1


@pytest.mark.parametrize(
    ("program", "said"),
    [
        pytest.param("/nowhere/check", "/nowhere/check: No such file or directory", id="missing"),
        pytest.param("/etc/passwd", "/etc/passwd: Permission denied", id="not executable"),
        pytest.param("/etc", "/etc: not a program", id="directory"),
        pytest.param("/dev/null", "/dev/null: not a program", id="device"),
        pytest.param("/bin/\0sh", "embedded null byte", id="NUL"),
    ],
)
def test_what_cannot_be_started_says_why(stand: Stand, program: str, said: str) -> None:
    assert stand.end_of(Run((program,))) == Unexecuted(said)


def test_cancelling_kills_grandchildren_too(stand: Stand, ground: Path) -> None:
    inner = f"echo $$ >> {ground}/pids; sleep 99"
    job = stand.begin(shell(f"trap '' TERM; ( sh -c '{inner}' & {inner} ) & {inner}"))
    pids = numbers(ground / "pids", 3)
    job()
    eventually(lambda: stand.aside.running == 0)
    eventually(lambda: all(map(is_gone, pids)))


def test_what_a_program_leaves_in_its_group_ends_with_it(stand: Stand, ground: Path) -> None:
    text = f"sh -c 'echo $$ > {ground}/pids; sleep 99' & while ! test -s {ground}/pids; do :; done"
    assert stand.end_of(shell(text)) == Executed(0, b"")
    eventually(lambda: is_gone(numbers(ground / "pids", 1)[0]))


def test_one_that_left_the_group_and_keeps_the_output_holds_nothing_up(
    stand: Stand, ground: Path
) -> None:
    left = f"echo $$ > {ground}/pids; while :; do echo more; sleep 0.01; done"
    text = f"setsid sh -c '{left}' & while ! test -s {ground}/pids; do :; done; exit 7"
    done = stand.end_of(shell(text))
    assert isinstance(done, Executed)
    assert done.status == 7
    eventually(lambda: is_gone(numbers(ground / "pids", 1)[0]))  # by SIGPIPE


def test_a_flood_is_cut_and_does_not_block(stand: Stand) -> None:
    done = stand.end_of(shell("head -c 20000000 /dev/zero; exit 4", limit=100))
    assert done == Executed(4, bytes(100))


def test_an_endless_flood_costs_little(stand: Stand) -> None:
    before = time.process_time()
    job = stand.begin(shell("yes"))
    time.sleep(0.5)
    job()
    eventually(lambda: stand.aside.running == 0)
    assert time.process_time() - before < 0.25


def test_output_closed_early_is_no_end(stand: Stand) -> None:
    assert stand.end_of(shell("echo so; exec >&-; sleep 0.05; exit 2")) == Executed(2, b"so\n")


def test_cancelling_tells_nothing_any_more(stand: Stand) -> None:
    job = stand.begin(shell("true"))
    eventually(lambda: stand.aside.running == 0)
    job()
    job()
    stand.end_of(shell("true"))
    assert job not in stand.told


def test_200_at_once_run_64_at_a_time_and_all_end(stand: Stand, ground: Path) -> None:
    before = descriptors()
    gate = ground / "gate"
    jobs = [
        stand.begin(shell(f"while ! test -e {gate}; do sleep 0.05; done; echo {n}"))
        for n in range(200)
    ]
    eventually(lambda: stand.aside.running == PROGRAMS)
    assert stand.aside.waiting == 200 - PROGRAMS
    assert [job.has_begun for job in jobs] == [True] * PROGRAMS + [False] * (200 - PROGRAMS)
    gate.touch()
    stand.hear(*jobs)
    assert [stand.told[job] for job in jobs] == [Executed(0, b"%d\n" % n) for n in range(200)]
    assert stand.aside.running == stand.aside.waiting == 0
    eventually(lambda: descriptors() == before)


def test_one_that_is_cancelled_while_it_waits_never_starts(
    ground: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aside, "PROGRAMS", 1)
    few = Stand()
    first = few.begin(
        shell(f"touch {ground}/begun; while ! test -e {ground}/gate; do sleep 0.01; done")
    )
    eventually((ground / "begun").exists)
    second = few.begin(shell(f"touch {ground}/started"))
    third = few.begin(shell("echo third"))
    assert not second.has_begun
    assert first.lack is None
    assert third.lack == Unexecuted("1 programs run already, and none ended in time")
    second()
    (ground / "gate").touch()
    few.hear(first, third)
    few.aside.close()
    assert not (ground / "started").exists()
    assert second not in few.told


def test_closing_kills_what_runs_and_drops_what_waits(ground: Path) -> None:
    made = Stand()
    for n in range(PROGRAMS + 10):
        made.begin(shell(f"echo $$ >> {ground}/pids; sleep 99; {n}"))
    pids = numbers(ground / "pids", PROGRAMS)
    made.aside.close()
    assert all(map(is_gone, pids))
    assert made.aside.running == made.aside.waiting == 0
    assert made.posted.empty()


def test_what_is_begun_after_the_closing_is_never_done() -> None:
    made = Stand()
    made.aside.close()
    late = made.begin(shell("true"))
    assert not late.has_begun
    late()
    assert made.aside.waiting == 0
    assert made.posted.empty()


def test_a_file_is_read_and_its_age_told(stand: Stand, tmp_path: Path) -> None:
    path = tmp_path / "weight"
    path.write_text("30\n")
    os.utime(path, (0, time.time() - 60))
    done = stand.end_of(ReadFile(str(path)))
    assert isinstance(done, FileRead)
    assert done.data == b"30\n"
    assert 60 <= done.age < 65


def test_a_file_is_cut_at_the_limit_and_one_of_the_future_is_new(
    stand: Stand, tmp_path: Path
) -> None:
    path = tmp_path / "long"
    path.write_bytes(bytes(1000))
    os.utime(path, (0, time.time() + 60))
    assert stand.end_of(ReadFile(str(path), 10)) == FileRead(bytes(10), 0.0)


def test_a_file_without_a_size_is_read_whole(stand: Stand) -> None:
    done = stand.end_of(ReadFile("/proc/self/status"))
    assert isinstance(done, FileRead)
    assert len(done.data) > 500


@pytest.mark.parametrize(
    ("path", "number"),
    [
        pytest.param("/nowhere/file", errno.ENOENT, id="missing"),
        pytest.param("/etc", errno.EISDIR, id="directory"),
        pytest.param("/dev/zero", errno.ENODEV, id="device"),
        pytest.param("/etc/passwd/x", errno.ENOTDIR, id="under a file"),
        pytest.param("/etc/\0", errno.EINVAL, id="NUL"),
    ],
)
def test_what_cannot_be_read_gives_its_number(stand: Stand, path: str, number: int) -> None:
    assert stand.end_of(ReadFile(path)) == FileUnread(number)


def test_a_fifo_is_not_opened_and_holds_nothing_up(stand: Stand, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert stand.end_of(ReadFile(str(tmp_path / "fifo"))) == FileUnread(errno.ENODEV)


def test_a_file_that_is_replaced_meanwhile_is_never_seen_torn(stand: Stand, tmp_path: Path) -> None:
    path, other = tmp_path / "file", tmp_path / "new"
    path.write_bytes(b"a" * 5000)
    seen = set()
    for n in range(200):
        job = stand.begin(ReadFile(str(path)))
        other.write_bytes((b"a" if n % 2 else b"b") * 5000)
        other.replace(path)
        stand.hear(job)
        done = stand.told[job]
        assert isinstance(done, FileRead)
        seen.add(done.data)
    assert seen == {b"a" * 5000, b"b" * 5000}


class Hanging(Reading):
    """A file on a server that died: nothing but its return ends the reading."""

    def run(self) -> Done:
        returned.wait(PATIENCE)
        return FileRead(b"late", 0.0)


returned = threading.Event()


@pytest.fixture
def dead_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have every file under /dead hang."""

    def work(wanted: ReadFile) -> Reading:
        return Hanging(wanted) if wanted.path.startswith("/dead") else Reading(wanted)

    returned.clear()
    monkeypatch.setattr(aside, "Reading", work)
    yield
    returned.set()


@pytest.mark.usefixtures("dead_server")
def test_one_file_that_hangs_takes_one_reader_however_often_it_is_asked_for(stand: Stand) -> None:
    for _ in range(3 * READERS):
        stand.begin(ReadFile("/dead/one"))()
        assert isinstance(stand.end_of(ReadFile("/etc/passwd")), FileRead)
    again = stand.begin(ReadFile("/dead/one"))
    assert stand.aside.running == 1
    assert not again.has_begun
    assert again.lack == FileUnread(errno.ETIMEDOUT)
    returned.set()
    stand.hear(again)
    assert stand.told[again] == FileRead(b"late", 0.0)


def test_a_program_that_outlives_its_killing_is_not_started_again(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = threading.Event()
    monkeypatch.setattr(Program, "kill", lambda _program: killed.set())  # as a dead disk does
    first = stand.begin(shell("sleep 0.3"))
    eventually(lambda: first.lack is None)
    first()
    again = stand.begin(shell("sleep 0.3"))
    assert killed.is_set()
    assert again.lack == Unexecuted("/bin/sh of the run before was killed and does not end")
    assert stand.end_of(shell("echo other")) == Executed(0, b"other\n")
    assert not again.has_begun
    stand.hear(again)
    assert stand.told[again] == Executed(0, b"")


@pytest.mark.usefixtures("dead_server")
def test_it_is_said_once_when_all_readers_hang(stand: Stand) -> None:
    for n in range(READERS):
        hangs = stand.begin(ReadFile(f"/dead/{n}"))
        eventually(partial(getattr, hangs, "has_begun"))
        hangs()
    with structlog.testing.capture_logs() as said:
        jobs = [stand.begin(ReadFile("/etc/passwd", limit)) for limit in (1, 2)]
    assert [(line["event"], line["hung"]) for line in said] == [
        ("errands hang", [f"/dead/{n}" for n in range(READERS)])
    ]
    assert stand.end_of(shell("echo unhurt")) == Executed(0, b"unhurt\n")
    returned.set()
    stand.hear(*jobs)


def test_where_there_is_no_thread_an_errand_waits(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched, structlog.testing.capture_logs() as said:
        patched.setattr(threading.Thread, "start", refuse)
        job = stand.begin(shell("true"))
    assert said[0]["event"] == "no thread for an errand"
    assert not job.has_begun
    assert stand.end_of(shell("echo later")) == Executed(0, b"later\n")


def test_many_runs_leave_no_descriptor_thread_or_process(stand: Stand) -> None:
    stand.end_of(shell("true"))
    eventually(lambda: workers() == 0)
    before = descriptors()
    for n in range(50):
        stand.end_of(Run(("/nowhere",)) if n % 5 == 0 else shell(f"exit {n}"))
        stand.begin(shell("sleep 9"))()
        stand.end_of(ReadFile("/etc/passwd" if n % 2 else "/nowhere"))
    eventually(lambda: stand.aside.running == 0 and workers() == 0)
    assert descriptors() == before
