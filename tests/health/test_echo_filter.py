"""The filter is run by the real kernel, on datagrams between two sockets of our own."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_health.echo_filter import echo_filter
from libra_health.shell.sockets import attach

TOKEN = bytes.fromhex("cafebabe")
SHORT, LONG = bytes([0x45]) + bytes(19), bytes([0x4F]) + bytes(59)


def passes(program: bytes, packet: bytes) -> bool:
    """Tell whether the kernel hands a packet on."""
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with near, far:
        attach(far, program)
        far.setblocking(False)
        near.setblocking(False)
        try:
            near.send(packet)
            return far.recv(65536) == packet
        except (BlockingIOError, PermissionError):  # what is dropped is told the sender as EPERM
            return False


@pytest.mark.parametrize("rest", [b"", b"payload"])
@pytest.mark.parametrize(
    ("header", "kind"), [(SHORT, 0), (LONG, 0), (b"", 129)], ids=["ipv4", "ipv4 options", "ipv6"]
)
def test_an_answer_to_our_own_request_is_heard(header: bytes, kind: int, rest: bytes) -> None:
    program = echo_filter(TOKEN, is_ipv6=not header)
    assert passes(program, header + bytes([kind, 0, 1, 2]) + TOKEN + rest)


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(bytes([8, 0, 1, 2]) + TOKEN, id="a request"),
        pytest.param(bytes([3, 1, 1, 2]) + TOKEN, id="unreachable"),
        pytest.param(bytes([0, 0, 1, 2]) + b"\xca\xfe\xba\xbf", id="another sequence"),
        pytest.param(bytes([0, 0, 1, 2]) + b"\xca\xff\xba\xbe", id="another identifier"),
        pytest.param(bytes([0, 0, 1, 2]) + TOKEN[:3], id="cut short"),
    ],
)
def test_what_is_none_is_dropped(packet: bytes) -> None:
    assert not passes(echo_filter(TOKEN, is_ipv6=False), SHORT + packet)
    echo = bytes([129]) + packet[1:] if packet[0] == 0 else packet
    assert not passes(echo_filter(TOKEN, is_ipv6=True), echo)


@given(st.binary(max_size=80), st.booleans())
def test_no_other_bytes_pass(packet: bytes, is_ipv6: bool) -> None:
    start = 0 if is_ipv6 else (packet[0] & 15) * 4 if packet else 0
    kind = bytes([129 if is_ipv6 else 0])
    wanted = packet[start : start + 1] == kind and packet[start + 4 : start + 8] == TOKEN
    assert passes(echo_filter(TOKEN, is_ipv6=is_ipv6), packet) is wanted
