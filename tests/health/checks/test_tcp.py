import errno

import pytest

from libra_health.checks.tcp import DIALOGUE_LIMIT, TcpSpec, start, step
from libra_health.outcome import Errored, Failed, Outcome, Passed, Reason
from libra_health.wire import (
    Connect,
    Connected,
    DeadlineReached,
    Effects,
    Ended,
    Input,
    PingOpened,
    Receive,
    Received,
    Refused,
    Search,
    Searched,
    Send,
    Target,
    Unasked,
)

TARGET = Target("192.0.2.1", 25)
PLAIN = TcpSpec()
GREETING = TcpSpec(expect="^220 ")
DIALOGUE = TcpSpec(send=b"PING\r\n", expect="PONG")


def play(spec: TcpSpec, *inputs: Input) -> Effects | Outcome:
    state, result = start(TARGET, spec, 10.0)
    last: Effects | Outcome = result
    for event in inputs:
        state, last = step(state, event, 10.25)
    return last


def test_a_plain_check_ends_by_reset_and_a_dialogue_in_good_order() -> None:
    assert play(PLAIN) == (Connect(TARGET, abort=True),)
    assert play(DIALOGUE) == (Connect(TARGET, abort=False),)


def test_a_handshake_is_enough_where_nothing_else_is_asked() -> None:
    assert play(PLAIN, Connected()) == Passed(0.25)


def test_a_dialogue_speaks_first_if_it_has_something_to_say() -> None:
    assert play(DIALOGUE, Connected()) == (Send(b"PING\r\n"), Receive())
    assert play(GREETING, Connected()) == (Receive(),)


def test_an_answer_may_come_in_pieces() -> None:
    assert play(DIALOGUE, Connected(), Received(b"PO")) == (Receive(),)
    assert play(DIALOGUE, Connected(), Received(b"PO"), Received(b"NG")) == Passed(0.25)


def test_any_answer_will_do_where_none_is_expected() -> None:
    assert play(TcpSpec(send=b"x"), Connected(), Received(b"y")) == Passed(0.25)


@pytest.mark.parametrize(
    ("spec", "inputs", "reason"),
    [
        pytest.param(PLAIN, [Refused(errno.ECONNREFUSED, immediate=False)], Reason.REFUSED),
        pytest.param(PLAIN, [DeadlineReached()], Reason.TIMEOUT),
        pytest.param(GREETING, [Connected(), DeadlineReached()], Reason.TIMEOUT),
        pytest.param(GREETING, [Connected(), Received(b"2"), DeadlineReached()], Reason.TIMEOUT),
        pytest.param(GREETING, [Connected(), Ended()], Reason.CLOSED),
        pytest.param(GREETING, [Connected(), Received(b"554 no"), Ended()], Reason.CONTENT),
        pytest.param(GREETING, [Connected(), Received(b"x" * DIALOGUE_LIMIT)], Reason.OVERSIZED),
    ],
)
def test_each_way_to_fail_has_its_reason(
    spec: TcpSpec, inputs: list[Input], reason: Reason
) -> None:
    outcome = play(spec, *inputs)
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.latency) == (reason, 0.25)


def test_the_evidence_shows_what_was_wanted_and_what_came() -> None:
    outcome = play(GREETING, Connected(), Received(b"554 no\r\n"), Ended())
    assert isinstance(outcome, Failed)
    assert outcome.detail == "closed by the backend; /^220 / not in '554 no\\r\\n'"


def test_no_route_of_our_own_is_not_the_backends_fault() -> None:
    refused = Refused(errno.ENETUNREACH, immediate=True)
    assert play(PLAIN, refused) == Errored(Reason.NO_ROUTE, "ENETUNREACH")


def test_an_echo_socket_is_our_mistake() -> None:
    with pytest.raises(Unasked, match="PingOpened"):
        play(PLAIN, PingOpened(raw=False))


COSTLY = TcpSpec(expect="(0+)+K")


def test_a_costly_pattern_is_searched_for_elsewhere() -> None:
    parts = (Connected(), Received(b"00"))
    assert play(COSTLY, *parts) == (Search("(0+)+K", b"00"),)
    assert play(COSTLY, *parts, Searched(found=False)) == (Receive(),)
    more = (*parts, Searched(found=False), Received(b"K"))
    assert play(COSTLY, *more) == (Search("(0+)+K", b"00K"),)
    assert play(COSTLY, *more, Searched(found=True)) == Passed(0.25)


def test_a_pattern_that_took_too_long_counts_against_the_answer_it_was_tried_on() -> None:
    parts = (Connected(), Received(b"00"))
    assert isinstance(play(COSTLY, *parts, Searched(None)), Failed)
    assert isinstance(play(COSTLY, *parts, Searched(None, tried=False)), Errored)
