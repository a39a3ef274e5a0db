import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_health.checks.file import LIMIT, FileSpec, Missing, start, step
from libra_health.errands import FileRead, FileUnread, ReadFile
from libra_health.outcome import Errored, Failed, Outcome, Passed, Reason
from libra_health.wire import Connected, DeadlineReached, Input, Target, Unasked

PATH = "/run/w1"
NEITHER = f"{PATH}: neither up, down nor a whole number of 0 to 65535"


def end(event: Input, spec: FileSpec | None = None) -> Outcome:
    state, effects = start(Target("192.0.2.1"), spec or FileSpec(PATH), 1.0)
    assert effects == (ReadFile(PATH, LIMIT + 1),)
    outcome = step(state, event, 1.5)[1]
    assert not isinstance(outcome, tuple)
    return outcome


def read(data: bytes, age: float = 0.0) -> FileRead:
    return FileRead(data, age)


@pytest.mark.parametrize("data", [b"up", b"UP\n", b" Up ", b"0", b"0\n", b"000"])
def test_up_and_0_pass(data: bytes) -> None:
    assert end(read(data)) == Passed(0.5)


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"down\n", "says down"), (b"Down", "says down"), (b"1\n", "says 1, and only 0 passes")],
)
def test_down_and_any_other_number_fail(data: bytes, said: str) -> None:
    assert end(read(data)) == Failed(Reason.CONTENT, f"{PATH}: {said}", 0.5)


@pytest.mark.parametrize(
    ("data", "outcome"),
    [
        (b"0\n", Passed(0.5, 0)),
        (b"30\n", Passed(0.5, 30)),
        (b"65535", Passed(0.5, 65535)),
        (b"up", Passed(0.5)),
        (b"down", Failed(Reason.CONTENT, f"{PATH}: says down", 0.5)),
        (b"65536", Errored(Reason.LOCAL, f"{NEITHER}: '65536'")),
    ],
)
def test_a_number_may_be_the_weight(data: bytes, outcome: Outcome) -> None:
    assert end(read(data), FileSpec(PATH, is_weight=True)) == outcome


@pytest.mark.parametrize(
    ("data", "quoted"),
    [(b"", ""), (b"\n", r"\n"), (b"yes", "yes"), (b"-1", "-1"), (b"\0", r"\x00")],
)
def test_a_file_that_says_nothing_is_our_trouble(data: bytes, quoted: str) -> None:
    assert end(read(data)) == Errored(Reason.LOCAL, f"{NEITHER}: '{quoted}'")


def test_a_long_file_is_our_trouble() -> None:
    assert end(read(b"0".ljust(LIMIT))) == Passed(0.5)
    longer = end(read(b"0".ljust(LIMIT + 1)))
    assert longer == Errored(Reason.LOCAL, f"{PATH}: longer than 256 bytes")


def test_a_file_that_nobody_writes_any_more_fails_whatever_it_says() -> None:
    spec = FileSpec(PATH, older_than=60.0)
    assert end(read(b"up", 60.0), spec) == Passed(0.5)
    assert end(read(b"up", 75.4), spec) == Failed(
        Reason.TIMEOUT, f"{PATH}: not written for 75 s, longer than 60 s", 0.5
    )


@pytest.mark.parametrize(
    ("missing", "outcome"),
    [
        (Missing.UP, Passed(0.5, detail=f"{PATH}: No such file or directory")),
        (Missing.DOWN, Failed(Reason.CONTENT, f"{PATH}: No such file or directory", 0.5)),
        (Missing.ERROR, Errored(Reason.LOCAL, f"{PATH}: No such file or directory")),
    ],
)
def test_a_missing_file_means_what_the_config_says(missing: Missing, outcome: Outcome) -> None:
    assert end(FileUnread(errno.ENOENT), FileSpec(PATH, missing=missing)) == outcome


@pytest.mark.parametrize(
    ("event", "reason", "said"),
    [
        (FileUnread(errno.EACCES), Reason.PERMISSION, "Permission denied"),
        (FileUnread(errno.EISDIR), Reason.LOCAL, "Is a directory"),
        (FileUnread(errno.ENODEV), Reason.LOCAL, "not a file with content"),
        (FileUnread(errno.ETIMEDOUT), Reason.LOCAL, "could not be read in time"),
        (DeadlineReached(), Reason.LOCAL, "could not be read in time"),
    ],
)
@pytest.mark.parametrize("missing", Missing)
def test_a_file_that_cannot_be_read_is_our_trouble(
    event: Input, reason: Reason, said: str, missing: Missing
) -> None:
    assert end(event, FileSpec(PATH, missing=missing)) == Errored(reason, f"{PATH}: {said}")


def test_what_it_never_asked_for_is_a_mistake_of_the_driver() -> None:
    with pytest.raises(Unasked, match="a check file never asked for Connected"):
        end(Connected())


@given(st.binary(max_size=LIMIT + 1), st.booleans())
def test_whatever_a_file_holds_there_is_an_outcome_of_bounded_size(
    data: bytes, is_weight: bool
) -> None:
    assert len(end(read(data), FileSpec(PATH, is_weight=is_weight)).detail) < 512
