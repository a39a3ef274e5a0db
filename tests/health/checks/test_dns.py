import errno
import struct

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_health.checks.dns import STRANGERS_LIMIT, DnsSpec, DnsState, identity, start, step
from libra_health.outcome import Failed, Outcome, Passed, Reason
from libra_health.protocols.dns_answer import question
from libra_health.wire import (
    RECEIVE,
    Connect,
    Connected,
    DeadlineReached,
    Effects,
    Ended,
    Input,
    OpenUdp,
    PingOpened,
    Received,
    Refused,
    Send,
    Target,
    UdpOpened,
    Unasked,
)

TARGET = Target("192.0.2.1", 53)
ASKED = question("example.net", "A")
UDP = DnsSpec(ASKED)
TCP = DnsSpec(ASKED, is_tcp=True)
IDENTITY = identity(10.0)
QUERY = struct.pack("!HHHHHH", IDENTITY, 0x0100, 1, 0, 0, 0) + ASKED


def run(spec: DnsSpec, *inputs: Input) -> tuple[DnsState, Effects | Outcome]:
    state, effects = start(TARGET, spec, 10.0)
    last: Effects | Outcome = effects
    for event in inputs:
        state, last = step(state, event, 10.25)
    return state, last


def play(spec: DnsSpec, *inputs: Input) -> Effects | Outcome:
    return run(spec, *inputs)[1]


def answer(*addresses: str, rcode: int = 0, flags: int = 0, query: bytes = QUERY) -> bytes:
    made = dns.message.make_response(dns.message.from_wire(query))
    made.set_rcode(dns.rcode.Rcode(rcode))
    made.flags |= flags
    if addresses:
        made.answer.append(dns.rrset.from_text("example.net.", 60, "IN", "A", *addresses))
    return made.to_wire()


def framed(data: bytes) -> bytes:
    return struct.pack("!H", len(data)) + data


GOOD = answer("192.0.2.7")
CUT = answer(flags=dns.flags.TC)
STRANGER = answer("192.0.2.7", query=bytes((QUERY[0] ^ 1,)) + QUERY[1:])


def test_a_question_goes_by_udp_and_its_answer_passes() -> None:
    assert play(UDP) == (OpenUdp(TARGET),)
    assert play(UDP, UdpOpened()) == (Send(QUERY), *RECEIVE)
    assert play(UDP, UdpOpened(), Received(GOOD)) == Passed(0.25)


def test_a_question_goes_by_tcp_with_its_length() -> None:
    assert play(TCP) == (Connect(TARGET, abort=False),)
    assert play(TCP, Connected()) == (Send(framed(QUERY)), *RECEIVE)
    assert play(TCP, Connected(), Received(framed(GOOD))) == Passed(0.25)


def test_an_answer_by_tcp_may_come_in_pieces() -> None:
    wire = framed(GOOD)
    for cut in range(1, len(wire)):
        assert play(TCP, Connected(), Received(wire[:cut])) == RECEIVE
        assert play(TCP, Connected(), Received(wire[:cut]), Received(wire[cut:])) == Passed(0.25)


def test_an_answer_cut_short_by_udp_is_asked_for_by_tcp() -> None:
    said = (UdpOpened(), Received(CUT))
    assert play(UDP, *said) == (Connect(TARGET, abort=False),)
    assert play(UDP, *said, Connected()) == (Send(framed(QUERY)), *RECEIVE)
    assert play(UDP, *said, Connected(), Received(framed(GOOD))) == Passed(0.25)


def test_what_answers_something_else_is_passed_over() -> None:
    assert play(UDP, UdpOpened(), Received(STRANGER)) == RECEIVE
    assert play(UDP, UdpOpened(), Received(STRANGER), Received(b""), Received(GOOD)) == Passed(0.25)
    late = play(UDP, UdpOpened(), Received(STRANGER), DeadlineReached())
    detail = "no answer in time; 1 datagrams answered something else"
    assert late == Failed(Reason.TIMEOUT, detail, 0.25)


def test_who_babbles_is_not_listened_to_for_ever() -> None:
    babble = [Received(STRANGER)] * STRANGERS_LIMIT
    assert play(UDP, UdpOpened(), *babble) == RECEIVE
    outcome = play(UDP, UdpOpened(), *babble, Received(STRANGER))
    assert isinstance(outcome, Failed)
    assert outcome.reason == Reason.MALFORMED


def test_nothing_else_can_come_by_tcp() -> None:
    outcome = play(TCP, Connected(), Received(framed(STRANGER)))
    assert isinstance(outcome, Failed)
    assert outcome.reason == Reason.MALFORMED
    assert outcome.detail.startswith("no answer to what was asked: '")


def test_two_runs_have_two_identities() -> None:
    assert len({identity(1000.0 + run) for run in range(1000)}) > 900


@pytest.mark.parametrize(
    ("spec", "wire", "reason", "detail"),
    [
        (UDP, answer(rcode=2), Reason.STATUS, "rcode SERVFAIL, wanted NOERROR"),
        (UDP, answer(), Reason.CONTENT, "0 answers of the type, wanted 1"),
        (
            DnsSpec(ASKED, expect=("192.0.2.7", "192.0.2.8")),
            GOOD,
            Reason.CONTENT,
            "'192.0.2.8' not among 1 answers: '192.0.2.7'",
        ),
        (
            DnsSpec(ASKED, at_least=2),
            GOOD,
            Reason.CONTENT,
            "1 answers of the type, wanted 2: '192.0.2.7'",
        ),
        (
            DnsSpec(ASKED, rcode="NXDOMAIN", at_least=0),
            GOOD,
            Reason.STATUS,
            "rcode NOERROR, wanted NXDOMAIN",
        ),
        (
            UDP,
            GOOD[:-1],
            Reason.MALFORMED,
            "FormError in its records: '",
        ),
        (UDP, GOOD[:6] + b"\xff\xff" + GOOD[8:], Reason.OVERSIZED, "65535 answers"),
    ],
)
def test_each_way_to_fail_has_its_reason(
    spec: DnsSpec, wire: bytes, reason: Reason, detail: str
) -> None:
    outcome = play(spec, UdpOpened(), Received(wire))
    assert isinstance(outcome, Failed)
    assert outcome.reason == reason
    assert outcome.detail.startswith(detail)


@pytest.mark.parametrize(
    ("spec", "wire"),
    [
        (DnsSpec(ASKED, expect=("192.0.2.8", "192.0.2.7")), answer("192.0.2.7", "192.0.2.8")),
        (DnsSpec(ASKED, rcode="NXDOMAIN", at_least=0), answer(rcode=3)),
        (DnsSpec(ASKED, at_least=0), answer()),
    ],
)
def test_what_was_asked_for_passes(spec: DnsSpec, wire: bytes) -> None:
    assert play(spec, UdpOpened(), Received(wire)) == Passed(0.25)


@pytest.mark.parametrize(
    ("spec", "inputs", "reason", "detail"),
    [
        (UDP, [UdpOpened(), DeadlineReached()], Reason.TIMEOUT, "no answer in time"),
        (TCP, [DeadlineReached()], Reason.TIMEOUT, "no connection in time"),
        (
            TCP,
            [Connected(), Received(b"\0\x40ab"), DeadlineReached()],
            Reason.TIMEOUT,
            "no answer in time: '\\x00@ab'",
        ),
        (TCP, [Connected(), Ended()], Reason.CLOSED, "closed before the answer was whole"),
        (UDP, [UdpOpened(), Refused(errno.ECONNREFUSED, False)], Reason.REFUSED, "ECONNREFUSED"),
        (
            TCP,
            [Connected(), Received(framed(CUT))],
            Reason.MALFORMED,
            "an answer by TCP that is truncated",
        ),
    ],
)
def test_each_way_to_get_no_answer_has_its_reason(
    spec: DnsSpec, inputs: list[Input], reason: Reason, detail: str
) -> None:
    assert play(spec, *inputs) == Failed(reason, detail, 0.25)


def test_an_echo_socket_is_our_mistake() -> None:
    with pytest.raises(Unasked, match="PingOpened"):
        play(UDP, PingOpened(raw=False))


@given(st.data())
def test_any_bytes_in_any_pieces_lead_to_an_outcome_or_a_wait(data: st.DataObject) -> None:
    good = data.draw(st.sampled_from([GOOD, CUT, STRANGER, answer(rcode=1)]))
    at = data.draw(st.integers(0, len(good)))
    wire = good[:at] + data.draw(st.binary(max_size=20)) + good[at:]
    spec = data.draw(st.sampled_from([UDP, TCP]))
    state, _ = run(spec, Connected() if spec.is_tcp else UdpOpened())
    pieces = data.draw(st.lists(st.just(wire) | st.just(framed(wire)) | st.binary(), max_size=40))
    for piece in pieces:
        state, result = step(state, Received(piece), 10.5)
        if not isinstance(result, tuple):
            return
        if isinstance(result[0], Connect):
            state, result = step(state, Connected(), 10.5)
        assert len(state.pending) <= 65535 + 2
    _, last = step(state, DeadlineReached(), 11.0)
    assert isinstance(last, Failed)
