"""What programs, files and /proc say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_vrrp.evidence import is_alive, is_called, judged, number_in, overdue
from libra_vrrp.watched import Judged


@pytest.mark.parametrize(
    ("status", "tail", "why"),
    [
        pytest.param(1, b"", "exit status 1", id="a status"),
        pytest.param(2, b"hello\nno route\n\n", "exit status 2: no route", id="its last line"),
        pytest.param(-11, b"", "killed by SIGSEGV", id="a signal"),
        pytest.param(-40, b"", "killed by signal 40", id="a signal without a name"),
        pytest.param(1, b"\x1b[31m\xff", r"exit status 1: \x1b[31m\xff", id="what obeys nothing"),
    ],
)
def test_a_program_that_fails_says_why(status: int, tail: bytes, why: str) -> None:
    assert judged(status, tail) == Judged(up=False, why=why)


def test_exit_status_0_is_up_whatever_it_says() -> None:
    assert judged(0, b"all is lost") == Judged(up=True)


def test_a_program_that_does_not_end_says_how_far_it_came() -> None:
    assert overdue(1.5, b"asking").why == "not ended within 1.5 s: asking"


@given(st.integers(-64, 255).filter(bool), st.binary())
def test_any_output_is_one_short_printable_line(status: int, tail: bytes) -> None:
    why = judged(status, tail).why
    assert why.isprintable()
    assert len(why) <= 200


@pytest.mark.parametrize(
    ("content", "number"),
    [
        (b"5\n", 5),
        (b" -20 ", -20),
        (b"+7", 7),
        (b"", None),
        (b"five", None),
        (b"1 2", None),
        (b"1.5", None),
        (b"9" * 10, None),
    ],
)
def test_a_file_holds_one_whole_number(content: bytes, number: int | None) -> None:
    assert number_in(content) == number


@given(st.binary())
def test_any_content_is_a_number_or_none(content: bytes) -> None:
    number = number_in(content)
    assert number is None or int(content) == number


@pytest.mark.parametrize(
    ("comm", "line", "name", "called"),
    [
        pytest.param(b"haproxy\n", b"", b"haproxy", True, id="its name"),
        pytest.param(b"haproxy2\n", b"", b"haproxy", False, id="another name"),
        pytest.param(b"hap\n", b"", b"haproxy", False, id="the beginning of a name"),
        pytest.param(
            b"systemd-network\n", b"/lib/systemd/systemd-networkd\0", b"systemd-networkd", True,
            id="a long name, of which the kernel keeps the beginning",
        ),
        pytest.param(
            b"systemd-network\n", b"/lib/systemd-network-other\0", b"systemd-networkd", False,
            id="another long name that begins alike",
        ),
        pytest.param(
            b"a-long-script-n\n", b"/usr/bin/python3\0/usr/bin/a-long-script-name\0",
            b"a-long-script-name", True, id="a script",
        ),
    ],
)  # fmt: skip
def test_a_process_is_known_by_the_name_of_its_program(
    comm: bytes, line: bytes, name: bytes, called: bool
) -> None:
    assert is_called(comm, line, name) is called


@pytest.mark.parametrize(
    ("stat", "alive"),
    [
        (b"7 (a) S 1 7", True),
        (b"7 (odd ) name) R 1", True),
        (b"7 (a) Z 1", False),
        (b"7 (a) X 1", False),
        (b"", False),
    ],
)
def test_a_zombie_has_ended(stat: bytes, alive: bool) -> None:
    assert is_alive(stat) is alive
