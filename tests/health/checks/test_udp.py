import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_health.checks.udp import ANSWERS_LIMIT, UdpSpec, start, step
from libra_health.outcome import Errored, Failed, Outcome, Passed, Reason
from libra_health.wire import (
    Connected,
    DeadlineReached,
    Effects,
    Input,
    OpenUdp,
    Receive,
    Received,
    Refused,
    Search,
    Searched,
    Send,
    Target,
    UdpOpened,
    Unasked,
)

TARGET = Target("192.0.2.1", 53)
PLAIN = UdpSpec()
ASKING = UdpSpec(b"PING", "^PONG", silence_passes=False)
LENIENT = UdpSpec(b"PING", "^PONG")
ANY_ANSWER = UdpSpec(b"PING", silence_passes=False)
COSTLY = UdpSpec(b"PING", "(0+)+K", silence_passes=False)


def play(spec: UdpSpec, *inputs: Input) -> Effects | Outcome:
    state, result = start(TARGET, spec, 10.0)
    last: Effects | Outcome = result
    for event in inputs:
        state, last = step(state, event, 10.25)
    return last


def test_a_socket_is_opened_and_one_datagram_sent() -> None:
    assert play(ASKING) == (OpenUdp(TARGET),)
    assert play(ASKING, UdpOpened()) == (Send(b"PING"), Receive())
    assert play(PLAIN, UdpOpened()) == (Send(b""), Receive())


@pytest.mark.parametrize(
    ("spec", "answer"),
    [(ASKING, b"PONG!"), (LENIENT, b"PONG"), (ANY_ANSWER, b"x"), (ANY_ANSWER, b""), (PLAIN, b"x")],
)
def test_an_answer_as_expected_passes(spec: UdpSpec, answer: bytes) -> None:
    assert play(spec, UdpOpened(), Received(answer)) == Passed(0.25)


def test_a_wrong_answer_may_be_followed_by_the_right_one() -> None:
    wrong = (UdpOpened(), Received(b"a"), Received(b""))
    assert play(ASKING, *wrong) == (Receive(),)
    assert play(ASKING, *wrong, Received(b"PONG")) == Passed(0.25)


@pytest.mark.parametrize("spec", [ASKING, LENIENT])
def test_wrong_answers_alone_fail_and_the_last_is_shown(spec: UdpSpec) -> None:
    one = play(spec, UdpOpened(), Received(b"NO\0"), DeadlineReached())
    assert one == Failed(Reason.CONTENT, "/^PONG/ not in 'NO\\x00'", 0.25)
    two = play(spec, UdpOpened(), Received(b"NO"), Received(b"BAD"), DeadlineReached())
    assert two == Failed(Reason.CONTENT, "/^PONG/ not in the last of 2 answers, 'BAD'", 0.25)


def test_silence_decides_as_the_config_says() -> None:
    silence = (UdpOpened(), DeadlineReached())
    assert play(PLAIN, *silence) == Passed(0.25, detail="no answer and no refusal in time")
    assert isinstance(play(LENIENT, *silence), Passed)
    assert play(ANY_ANSWER, *silence) == Failed(Reason.TIMEOUT, "no answer in time", 0.25)
    wanted = "no answer in time; /^PONG/ wanted, nothing came"
    assert play(ASKING, *silence) == Failed(Reason.TIMEOUT, wanted, 0.25)


@pytest.mark.parametrize("spec", [PLAIN, ASKING, LENIENT])
@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ECONNREFUSED, Reason.REFUSED),
        (errno.EHOSTUNREACH, Reason.UNREACHABLE),
        (errno.EACCES, Reason.UNREACHABLE),
    ],
)
def test_an_icmp_error_fails_at_once(spec: UdpSpec, number: int, reason: Reason) -> None:
    outcome = play(spec, UdpOpened(), Refused(number, immediate=False))
    assert outcome == Failed(reason, errno.errorcode[number], 0.25)


def test_no_route_of_our_own_is_not_the_backends_fault() -> None:
    refused = Refused(errno.ENETUNREACH, immediate=True)
    assert play(PLAIN, refused) == Errored(Reason.NO_ROUTE, "ENETUNREACH")


def test_a_connection_is_our_mistake() -> None:
    with pytest.raises(Unasked, match="Connected"):
        play(PLAIN, Connected())


def test_a_costly_pattern_is_searched_for_elsewhere() -> None:
    heard = (UdpOpened(), Received(b"00"))
    assert play(COSTLY, *heard) == (Search("(0+)+K", b"00"),)
    assert play(COSTLY, *heard, Searched(found=False)) == (Receive(),)
    assert play(COSTLY, *heard, Searched(found=True, end=2)) == Passed(0.25)
    assert isinstance(play(COSTLY, *heard, Searched(None)), Failed)
    assert isinstance(play(COSTLY, *heard, Searched(None, tried=False)), Errored)


def test_a_flood_of_wrong_answers_ends_the_run() -> None:
    outcome = play(ASKING, UdpOpened(), *[Received(b"NO")] * ANSWERS_LIMIT)
    assert isinstance(outcome, Failed)
    assert outcome.reason is Reason.CONTENT


@given(st.lists(st.binary(max_size=50), max_size=ANSWERS_LIMIT + 5))
def test_any_datagrams_lead_to_an_outcome_or_a_wait(datagrams: list[bytes]) -> None:
    state, _ = start(TARGET, ASKING, 0.0)
    state, result = step(state, UdpOpened(), 0.0)
    for data in datagrams:
        state, result = step(state, Received(data), 0.1)
        if not isinstance(result, tuple):
            break
        assert result == (Receive(),)
        assert len(state.last) <= 50
    passed = any(data.startswith(b"PONG") for data in datagrams[:ANSWERS_LIMIT])
    assert isinstance(result, Passed) == passed
