import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_health.checks.icmp import IcmpSpec, IcmpState, checksum, echo_request, start, step
from libra_health.outcome import Failed, Outcome, Passed, Reason
from libra_health.wire import (
    RECEIVE,
    Connected,
    DeadlineReached,
    Effects,
    OpenPing,
    PingOpened,
    Received,
    Refused,
    Send,
    Target,
    Unasked,
)

V4, V6 = Target("192.0.2.1"), Target("2001:db8::1")
STARTED = 1.0  # its nanoseconds, 0x3b9aca00, are the token
IPV4_HEADER = bytes([0x45]) + bytes(19)


def opened(target: Target, size: int = 8, *, raw: bool = False) -> IcmpState:
    state, effects = start(target, IcmpSpec(size), STARTED)
    assert effects == (OpenPing(target, bytes.fromhex("3b9aca00")),)
    state, result = step(state, PingOpened(raw), STARTED)
    assert result == (Send(echo_request(state)), *RECEIVE)
    return state


def hear(state: IcmpState, data: bytes) -> Effects | Outcome:
    return step(state, Received(data), STARTED + 0.5)[1]


@pytest.mark.parametrize(
    ("target", "size", "packet"),
    [
        pytest.param(V4, 8, "0800ecc93b9aca00000000003b9aca00", id="ipv4"),
        pytest.param(V4, 3, "0800f2643b9aca00000000", id="shorter than the token"),
        pytest.param(V6, 10, "800000003b9aca00000000003b9aca000000", id="ipv6, kernel sums"),
    ],
)
def test_an_echo_request_has_these_bytes(target: Target, size: int, packet: str) -> None:
    state, _ = start(target, IcmpSpec(size), STARTED)
    request = echo_request(state)
    assert request.hex() == packet
    if target is V4:
        assert checksum(request) == 0


@pytest.mark.parametrize("size", [0, 3, 8, 56])
@pytest.mark.parametrize("target", [V4, V6])
def test_our_own_echo_passes_whatever_identifier_the_kernel_gave(target: Target, size: int) -> None:
    state = opened(target, size)
    kind = 129 if target.is_ipv6 else 0
    reply = bytes([kind, 0, 9, 9, 7, 7]) + echo_request(state)[6:]
    assert hear(state, reply) == Passed(0.5)


def test_a_raw_socket_also_hears_others_and_headers() -> None:
    state = opened(V4, raw=True)
    reply = bytes([0, 0, 9, 9]) + echo_request(state)[4:]
    assert hear(state, IPV4_HEADER + reply) == Passed(0.5)
    another = bytes([0, 0, 9, 9, 7, 7]) + echo_request(state)[6:]
    assert hear(state, IPV4_HEADER + another) == RECEIVE
    assert hear(state, IPV4_HEADER + echo_request(state)) == RECEIVE
    assert hear(state, b"") == RECEIVE


@given(st.binary(max_size=80), st.booleans(), st.sampled_from([V4, V6]))
def test_other_bytes_are_overheard(
    data: bytes,
    raw: bool,
    target: Target,
) -> None:
    assert hear(opened(target, raw=raw), data) == RECEIVE


def test_silence_is_a_timeout_and_an_icmp_error_is_unreachable() -> None:
    state = opened(V4)
    assert step(state, DeadlineReached(), 1.5)[1] == Failed(
        Reason.TIMEOUT, "no echo reply in time", 0.5
    )
    unreachable = Refused(errno.EHOSTUNREACH, immediate=False)
    assert step(state, unreachable, 1.5)[1] == Failed(Reason.UNREACHABLE, "EHOSTUNREACH", 0.5)


def test_a_connection_is_our_mistake() -> None:
    with pytest.raises(Unasked, match="Connected"):
        step(opened(V4), Connected(), 1.0)
