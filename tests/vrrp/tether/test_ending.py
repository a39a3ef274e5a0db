"""Only the other end's own word is its end."""

import errno

import pytest

from libra_vrrp.tether.ending import Attempt, Ending, attempt, ending


def test_the_end_of_file_is_the_others_fin() -> None:
    assert ending(None) is Ending.FIN


@pytest.mark.parametrize("error", [errno.ECONNRESET, errno.EPIPE])
def test_a_reset_is_to_be_asked_about(error: int) -> None:
    assert ending(error) is Ending.RST


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(errno.ETIMEDOUT, id="keepalive or user timeout"),
        pytest.param(errno.EHOSTUNREACH, id="no such host any more"),
        pytest.param(errno.ENETUNREACH, id="no route"),
        pytest.param(errno.ENETDOWN, id="our interface is down"),
        pytest.param(errno.ECONNABORTED, id="ended by ss -K here"),
        pytest.param(errno.EBADF, id="closed by us"),
        pytest.param(errno.ENOMEM, id="no memory"),
        pytest.param(0, id="no error that anyone knows"),
    ],
)
def test_nothing_else_says_anything_about_the_other_process(error: int) -> None:
    assert ending(error) is Ending.LOST


def test_a_refused_connection_is_the_word_of_a_host_that_lives() -> None:
    assert attempt(errno.ECONNREFUSED) is Attempt.REFUSED


@pytest.mark.parametrize(
    "error",
    [errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EACCES],
)
def test_any_other_failure_to_connect_is_none(error: int) -> None:
    assert attempt(error) is Attempt.FAILED
