import errno

import pytest

from libra_health.outcome import Errored, Failed, Reason, excerpt, from_errno, undecided


@pytest.mark.parametrize(
    ("number", "immediate", "expected"),
    [
        pytest.param(errno.ECONNREFUSED, False, Failed(Reason.REFUSED, "ECONNREFUSED", 0.5)),
        pytest.param(errno.ECONNREFUSED, True, Failed(Reason.REFUSED, "ECONNREFUSED", 0.5)),
        pytest.param(errno.EHOSTUNREACH, False, Failed(Reason.UNREACHABLE, "EHOSTUNREACH", 0.5)),
        pytest.param(errno.ENETUNREACH, True, Errored(Reason.NO_ROUTE, "ENETUNREACH")),
        pytest.param(errno.EACCES, True, Errored(Reason.PERMISSION, "EACCES")),
        pytest.param(errno.EACCES, False, Failed(Reason.UNREACHABLE, "EACCES", 0.5)),
        pytest.param(errno.EMFILE, True, Errored(Reason.DESCRIPTORS, "EMFILE")),
        pytest.param(errno.EADDRNOTAVAIL, True, Errored(Reason.PORTS, "EADDRNOTAVAIL")),
        pytest.param(errno.EINVAL, True, Errored(Reason.LOCAL, "EINVAL")),
        pytest.param(99999, True, Errored(Reason.LOCAL, "99999")),
    ],
)
def test_only_what_came_back_from_outside_counts_against_a_backend(
    number: int,
    immediate: bool,
    expected: Failed | Errored,
) -> None:
    assert from_errno(number, 0.5, immediate=immediate) == expected


def test_what_a_backend_sent_is_shown_escaped_and_cut() -> None:
    assert excerpt(b"220 \x1b[2J\r\n\xff") == "220 \\x1b[2J\\r\\n\\xff"
    assert excerpt(b"\x00" * 1000, 20) == "\\x00\\x00\\x00\\x00\\..."
    assert len(excerpt(b"a" * 10000)) == 512


def test_a_match_that_was_not_decided_counts_only_against_the_answer_that_was_tried() -> None:
    tried = undecided("(a+)+$", tried=True, latency=0.5)
    assert tried == Failed(Reason.CONTENT, "/(a+)+$/ took too long on this answer", 0.5)
    assert isinstance(undecided("(a+)+$", tried=False, latency=0.5), Errored)


@pytest.mark.parametrize("number", [-2, -9, -3])
def test_an_address_that_cannot_be_used_here_is_our_trouble_and_said_in_words(number: int) -> None:
    found = from_errno(number, 0.1, immediate=False)
    assert isinstance(found, Errored)
    assert found.reason is Reason.LOCAL
    assert "address" in found.detail
