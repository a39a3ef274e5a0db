import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_health.checks.tcp import DIALOGUE_LIMIT, Exchange, TcpSpec, start, step
from libra_health.outcome import Errored, Failed, Outcome, Passed, Reason
from libra_health.protocols.greetings import READERS
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
GREETING = TcpSpec((Exchange(expect="^220 "),))
DIALOGUE = TcpSpec((Exchange(b"PING\r\n", "PONG"),))
ANY_ANSWER = TcpSpec((Exchange(b"x"),))
LONGER = TcpSpec(
    (Exchange(expect="^220 "), Exchange(b"EHLO\r\n", "250 "), Exchange(b"QUIT\r\n", "221 "))
)


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


def test_steps_follow_each_other() -> None:
    said: list[Input] = [Connected(), Received(b"220 mail\r\n")]
    assert play(LONGER, *said) == (Send(b"EHLO\r\n"), Receive())
    said.append(Received(b"250 hi\r\n"))
    assert play(LONGER, *said) == (Send(b"QUIT\r\n"), Receive())
    assert play(LONGER, *said, Received(b"221 bye\r\n")) == Passed(0.25)


def test_what_came_beyond_a_match_is_kept_for_the_next_step() -> None:
    two = TcpSpec((Exchange(expect="a"), Exchange(expect="^b"), Exchange(expect="c")))
    assert play(two, Connected(), Received(b"abxc")) == Passed(0.25)
    assert play(two, Connected(), Received(b"xa"), Received(b"b"), Received(b"c")) == Passed(0.25)
    assert play(two, Connected(), Received(b"xaxb")) == (Receive(),)


def test_what_is_to_be_sent_is_sent_even_if_its_answer_was_there_before() -> None:
    early = TcpSpec((Exchange(expect="a"), Exchange(b"x", "b"), Exchange(b"y", "c")))
    heard = (Connected(), Received(b"ab"))
    assert play(early, *heard) == (Send(b"xy"), Receive())
    assert play(early, Connected(), Received(b"abc")) == (Send(b"xy"), Receive())
    assert play(early, Connected(), Received(b"abc"), Ended()) == Passed(0.25)


def test_a_step_that_expects_nothing_is_not_waited_for_unless_it_is_the_last() -> None:
    steps = TcpSpec((Exchange(b"a"), Exchange(b"b"), Exchange(expect="c"), Exchange(b"d")))
    assert play(steps, Connected()) == (Send(b"ab"), Receive())
    assert play(steps, Connected(), Received(b"cc")) == (Send(b"d"), Receive())
    assert play(steps, Connected(), Received(b"cc"), Received(b"x")) == Passed(0.25)


QUITTING = TcpSpec((Exchange(reader="220"),), farewell=b"QUIT\r\n")


@pytest.mark.parametrize(
    "end",
    [
        Received(b"221 bye\r\n"),
        Ended(),
        DeadlineReached(),
        Refused(errno.ECONNRESET, immediate=False),
    ],
)
def test_what_becomes_of_a_farewell_changes_nothing(end: Input) -> None:
    state, _ = start(TARGET, QUITTING, 10.0)
    state, _ = step(state, Connected(), 10.1)
    state, effects = step(state, Received(b"220 mail\r\n"), 10.25)
    assert effects == (Send(b"QUIT\r\n"), Receive())
    assert step(state, end, 99.0)[1] == Passed(0.25)


def test_a_reader_waits_for_more_and_refuses_what_is_wrong() -> None:
    assert play(QUITTING, Connected(), Received(b"220-a\r\n")) == (Receive(),)
    told = "the backend says no: '554 no'"
    wrong = play(QUITTING, Connected(), Received(b"554 no\r\n"))
    assert wrong == Failed(Reason.STATUS, told, 0.25)
    late = play(QUITTING, Connected(), Received(b"22"), DeadlineReached())
    assert late == Failed(Reason.TIMEOUT, "no answer in time; a reply 220 not in '22'", 0.25)


def test_any_answer_will_do_where_none_is_expected() -> None:
    assert play(ANY_ANSWER, Connected(), Received(b"y")) == Passed(0.25)


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


def test_the_evidence_says_which_step_failed() -> None:
    greeted = (Connected(), Received(b"220 mail\r\n"))
    late = play(LONGER, *greeted, Received(b"550 no\r\n"), DeadlineReached())
    told = "step 2 of 3: no answer in time; /250 / not in 'mail\\r\\n550 no\\r\\n'"
    assert late == Failed(Reason.TIMEOUT, told, 0.25)
    first = play(LONGER, Connected(), Ended())
    told = "step 1 of 3: closed by the backend; /^220 / wanted, nothing came"
    assert first == Failed(Reason.CLOSED, told, 0.25)
    silent = play(ANY_ANSWER, Connected(), DeadlineReached())
    assert silent == Failed(Reason.TIMEOUT, "no answer in time", 0.25)


def test_no_route_of_our_own_is_not_the_backends_fault() -> None:
    refused = Refused(errno.ENETUNREACH, immediate=True)
    assert play(PLAIN, refused) == Errored(Reason.NO_ROUTE, "ENETUNREACH")


def test_an_echo_socket_is_our_mistake() -> None:
    with pytest.raises(Unasked, match="PingOpened"):
        play(PLAIN, PingOpened(raw=False))


COSTLY = TcpSpec((Exchange(expect="(0+)+K"),))


def test_a_costly_pattern_is_searched_for_elsewhere() -> None:
    parts = (Connected(), Received(b"00"))
    assert play(COSTLY, *parts) == (Search("(0+)+K", b"00"),)
    assert play(COSTLY, *parts, Searched(found=False)) == (Receive(),)
    more = (*parts, Searched(found=False), Received(b"K"))
    assert play(COSTLY, *more) == (Search("(0+)+K", b"00K"),)
    assert play(COSTLY, *more, Searched(found=True)) == Passed(0.25)


def test_a_costly_pattern_tells_where_the_next_step_begins() -> None:
    steps = TcpSpec((Exchange(expect="0+K"), Exchange(b"x", "(1+)+K")))
    heard = (Connected(), Received(b"00K11"))
    assert play(steps, *heard) == (Search("0+K", b"00K11"),)
    found = (*heard, Searched(found=True, end=3))
    assert play(steps, *found) == (Send(b"x"), Search("(1+)+K", b"11"))
    assert play(steps, *found, Searched(found=False), Received(b"K")) == (Search("(1+)+K", b"11K"),)


def test_all_steps_together_read_so_much_and_no_more() -> None:
    steps = TcpSpec((Exchange(expect="a"), Exchange(expect="b"), Exchange(expect="c")))
    half = b"x" * (DIALOGUE_LIMIT // 2 - 1)
    some = (Connected(), Received(half + b"a"))
    assert play(steps, *some) == (Receive(),)
    outcome = play(steps, *some, Received(b"b" + half))
    assert isinstance(outcome, Failed)
    assert outcome.reason is Reason.OVERSIZED
    assert outcome.detail.startswith("step 3 of 3: too much was sent; /c/ not in 'xxx")


EXCHANGES = st.builds(
    Exchange,
    st.binary(max_size=3),
    st.sampled_from(["", "a", "^b", "a|", "$", "[^c]"]),
    st.sampled_from(["", "", "", "220", *READERS]),
)


@given(
    st.lists(EXCHANGES, min_size=1, max_size=5),
    st.lists(st.binary(min_size=1, max_size=9000) | st.sampled_from([b"a", b"b", b"220 \n"])),
    st.binary(max_size=2),
)
def test_any_bytes_in_any_pieces_lead_to_an_outcome_or_a_wait(
    exchanges: list[Exchange], pieces: list[bytes], farewell: bytes
) -> None:
    state, _ = start(TARGET, TcpSpec(tuple(exchanges), farewell), 0.0)
    state, result = step(state, Connected(), 0.0)
    for piece in pieces:
        if not isinstance(result, tuple):
            return
        assert isinstance(result[-1], Receive)
        assert state.talk is not None
        assert len(state.talk.heard) <= state.talk.total < DIALOGUE_LIMIT
        state, result = step(state, Received(piece), 0.0)
    if isinstance(result, tuple):
        assert not isinstance(step(state, DeadlineReached(), 1.0)[1], tuple)


def test_a_pattern_that_took_too_long_counts_against_the_answer_it_was_tried_on() -> None:
    parts = (Connected(), Received(b"00"))
    assert isinstance(play(COSTLY, *parts, Searched(None)), Failed)
    assert isinstance(play(COSTLY, *parts, Searched(None, tried=False)), Errored)
