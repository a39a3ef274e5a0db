"""Check `icmp`: an echo request is answered (RFC 792, RFC 4443 section 4).

The one rule: only a reply that carries our own token back counts; all else is overheard.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from libra_health.echo_filter import KIND_V4, KIND_V6
from libra_health.outcome import Failed, Outcome, Passed, Reason, from_errno
from libra_health.wire import (
    RECEIVE,
    DeadlineReached,
    Effects,
    Input,
    OpenPing,
    PingOpened,
    Received,
    Refused,
    Send,
    Target,
    Unasked,
)

_HEADER: Final = struct.Struct("!BBHHH")
_ECHO_V4, _ECHO_V6 = 8, 128


@dataclass(frozen=True, slots=True)
class IcmpSpec:
    """`size`: payload bytes; from 8 on they hold the whole token."""

    size: int = 56


@dataclass(frozen=True, slots=True)
class IcmpState:
    """A check under way. `started` in seconds of the monotonic clock."""

    target: Target
    spec: IcmpSpec
    started: float
    is_raw: bool = False


Step: TypeAlias = tuple[IcmpState, Effects | Outcome]


def start(target: Target, spec: IcmpSpec, now: float) -> tuple[IcmpState, Effects]:
    """Begin by opening an echo socket."""
    state = IcmpState(target, spec, now)
    return state, (OpenPing(target, _token(state)[4:]),)


def step(state: IcmpState, event: Input, now: float) -> Step:
    """Take one input further."""
    elapsed = now - state.started
    match event:
        case PingOpened(raw):
            return replace(state, is_raw=raw), (Send(echo_request(state)), *RECEIVE)
        case Received(data):
            return state, Passed(elapsed) if _is_reply(state, data) else RECEIVE
        case Refused(number, immediate):
            return state, from_errno(number, elapsed, immediate=immediate)
        case DeadlineReached():
            return state, Failed(Reason.TIMEOUT, "no echo reply in time", elapsed)
        case _:
            raise Unasked("icmp", event)


def echo_request(state: IcmpState) -> bytes:
    """Write the request; a ping socket replaces the identifier by its own."""
    token = _token(state)
    identifier, sequence = struct.unpack_from("!HH", token, 4)
    kind = _ECHO_V6 if state.target.is_ipv6 else _ECHO_V4
    payload = token.ljust(state.spec.size, b"\0")[: state.spec.size]
    bare = _HEADER.pack(kind, 0, 0, identifier, sequence) + payload
    # ICMPv6 sums over a pseudo header; the kernel writes that one (RFC 3542 section 3.1).
    summed = 0 if state.target.is_ipv6 else checksum(bare)
    return _HEADER.pack(kind, 0, summed, identifier, sequence) + payload


def checksum(data: bytes) -> int:
    """Compute the Internet checksum (RFC 1071)."""
    padded = data + bytes(len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def _token(state: IcmpState) -> bytes:
    """Mark a request by the nanosecond it was made in."""
    return struct.pack("!Q", int(state.started * 1e9) & (2**64 - 1))


def _is_reply(state: IcmpState, data: bytes) -> bool:
    """Compare kind, sequence and as much of the token as was sent; a raw socket also its id."""
    if state.is_raw and not state.target.is_ipv6:
        data = data[(data[0] & 15) * 4 :] if data else b""
    token, kind = _token(state), KIND_V6 if state.target.is_ipv6 else KIND_V4
    ours = 4 if state.is_raw else 6
    return (
        data[:1] == bytes([kind])
        and data[ours:8] == token[ours:]
        and data[8 : 8 + min(8, state.spec.size)] == token[: state.spec.size]
    )
