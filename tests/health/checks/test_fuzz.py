"""Every check is told anything by a backend that keeps to no protocol but the driver's own.

The one rule: any bytes, in any pieces, lead to an outcome or a wait, in bounded memory.
"""

from __future__ import annotations

import errno
from dataclasses import fields, is_dataclass
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.health.written import EXAMPLES, Example, examples

from libra_health.checks import STARTS, start, step
from libra_health.errands import Execute, Executed, FileRead, FileUnread, ReadFile, Unexecuted
from libra_health.outcome import Errored, Failed, Outcome, Passed, Reason
from libra_health.wire import (
    Connect,
    Connected,
    DeadlineReached,
    Effect,
    Effects,
    Ended,
    Input,
    OpenPing,
    OpenUdp,
    PingOpened,
    Receive,
    Received,
    Refused,
    Search,
    Searched,
    Secured,
    Send,
    StartTls,
    UdpOpened,
    Unsecured,
)

BLOCK: Final = 65536
"""Bytes that the driver reads at a time."""
HELD: Final = 1 << 20
"""Bytes that a state may hold beyond what it was when the check began, whatever comes."""

WORDS: Final = [
    b"\r\n", b"\n", b"\0", b"", b" ", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 C\r\n\r\n",
    b"HTTP/1.1 302 F\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n", b"Content-Length: 3\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Content-Encoding: gzip\r\n", b"ok\r\n", b"ab\r\n",
    b"3\r\nabc\r\n", b"0\r\n\r\n", b"ffffffffff\r\n", b"220 mail ESMTP\r\n", b"220-a\r\n",
    b"250-mail\r\n", b"250-STARTTLS\r\n", b"250-AUTH PLAIN LOGIN\r\n", b"250 OK\r\n",
    b"235 OK\r\n", b"334 \r\n", b"+PONG\r\n", b"-NOAUTH\r\n", b"* OK\r\n", b"N", b"S",
    b"R\0\0\0\x08", b"J\0\0\0\x0a8.0\0", b"PONG",
    b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00",
    b"\x30\x84\0\0\0\x0c", b"\x30\x84\xff\xff\xff\xff", b"\x02\x01\x02", b"\x64\x05\x04\0\x30\0",
    b"\xc0\x0c", b"\0\x01\0\x01\0\0\0\x3c\0\x04\x0a\0\0\x01", b"\x81\x80", b"40\n", b"100%",
]  # fmt: skip
NUMBERS: Final = [errno.ECONNREFUSED, errno.ECONNRESET, errno.EMFILE, errno.EHOSTUNREACH, 9999]
OURS: Final = st.sampled_from(["", "expired", "no such program"])
ERRNOS: Final = st.sampled_from(NUMBERS)
REFUSALS: Final = st.builds(Refused, ERRNOS, immediate=st.booleans())
REASONS: Final = st.sampled_from([Reason.TLS, Reason.CERTIFICATE, Reason.LOCAL])
LEFT: Final = st.none() | st.floats(-1e6, 1e9)
ANSWERS: Final[dict[type, st.SearchStrategy[Input]]] = {
    Connect: st.just(Connected()) | REFUSALS,
    OpenUdp: st.just(UdpOpened()) | REFUSALS,
    OpenPing: st.builds(PingOpened, raw=st.booleans()) | REFUSALS,
    StartTls: st.builds(Secured, LEFT, st.just("TLSv1.3"), st.sampled_from(["", "h2"]))
    | st.builds(Unsecured, REASONS, OURS)
    | REFUSALS,
    Search: st.builds(Searched, st.sampled_from([True, False, None]), st.booleans()),
}

USUAL: Final[dict[type, Input]] = {
    Connect: Connected(),
    OpenUdp: UdpOpened(),
    OpenPing: PingOpened(raw=False),
    StartTls: Secured(1e7, "TLSv1.3"),
    Search: Searched(found=False),
    ReadFile: FileRead(b"secret\n", 1.0),
    Execute: Executed(0, b"50\n"),
}
"""What is answered where all goes well, but for what a backend says."""


def pieces(sent: bytes) -> st.SearchStrategy[bytes]:
    """Make bytes that a backend may send: noise, words of protocols, what it was sent, mangled."""
    mangled = st.tuples(
        st.integers(0, max(0, len(sent))), st.binary(max_size=3), st.integers(0, 3)
    ).map(lambda cut: sent[: cut[0]] + cut[1] + sent[cut[0] + cut[2] :])
    one = st.sampled_from(WORDS) | st.binary(max_size=12) | mangled
    many = st.lists(one, max_size=6).map(b"".join)
    return many | st.builds(lambda piece, n: (piece * n)[:BLOCK], one, st.integers(1, 2000))


def answers(effect: Effect, sent: bytes, *, is_stream: bool) -> st.SearchStrategy[Input]:
    """Make what may answer an effect."""
    match effect:
        case Receive():
            end: Input = Ended() if is_stream else Refused(errno.ECONNREFUSED, immediate=False)
            return st.builds(Received, pieces(sent)) | st.just(end) | REFUSALS
        case ReadFile():
            return st.builds(FileRead, pieces(b""), st.floats(0, 1e9)) | st.builds(
                FileUnread, ERRNOS
            )
        case Execute():
            return st.builds(Executed, st.integers(-70, 255), pieces(b"")) | st.builds(
                Unexecuted, OURS
            )
        case _:
            return ANSWERS[type(effect)]


class Run:
    """One run of a check as the driver does it, but that somebody else answers."""

    def __init__(self, example: Example) -> None:
        probe = example.probe("10.0.1.11:80")
        self.state, effects = start(probe.target, probe.spec, 100.0)
        self.empty = size(self.state)
        self.now = 100.0
        self.sent = b""
        self.is_stream = False
        self.asked: Effect | None = None
        self.outcome: Outcome | None = None
        self.take(effects)

    def take(self, result: Effects | Outcome) -> None:
        """Note what is asked: the first effect that is answered, or the outcome."""
        self.asked = None
        if not isinstance(result, tuple):
            assert isinstance(result, Passed | Failed | Errored)
            self.outcome = result
            return
        for effect in result:
            if isinstance(effect, Connect | OpenUdp | OpenPing):
                self.is_stream = isinstance(effect, Connect)
            if isinstance(effect, Send):
                self.sent = effect.data
            else:
                self.asked = effect
                return

    def tell(self, event: Input) -> None:
        """Answer it; its memory stays in bounds."""
        self.now += 0.001
        self.state, result = step(self.state, event, self.now)
        assert size(self.state) - self.empty <= HELD
        self.take(result)


def size(value: Any) -> int:
    """Add up the bytes and characters in a state."""
    if isinstance(value, bytes | str):
        return len(value)
    if isinstance(value, list | tuple | set | frozenset):
        return sum(map(size, value)) + 8 * len(value)
    if isinstance(value, dict):
        return sum(map(size, value.items())) + 8 * len(value)
    if is_dataclass(value):
        return sum(size(getattr(value, field.name)) for field in fields(value))
    return 8


def test_every_kind_of_check_is_told_anything() -> None:
    assert {kind for kind, _ in STARTS.values()} == {example.kind for example in examples()}
    assert {kind for kind, _ in STARTS.values()} <= set(EXAMPLES)


@pytest.mark.parametrize("example", examples(), ids=str)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_anything_leads_to_an_outcome_or_a_wait(example: Example, data: st.DataObject) -> None:
    run = Run(example)
    for _ in range(30):
        if run.outcome is not None or run.asked is None:
            break
        run.tell(data.draw(answers(run.asked, run.sent, is_stream=run.is_stream)))
    if run.outcome is None:
        run.tell(DeadlineReached())
    assert run.outcome is not None
    if isinstance(run.outcome, Failed | Errored):
        assert run.outcome.detail.isprintable()
        assert len(run.outcome.detail) <= 1024


@pytest.mark.parametrize("example", examples(), ids=str)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=15)
@given(piece=st.sampled_from(WORDS) | st.binary(max_size=9), head=st.lists(st.sampled_from(WORDS)))
def test_what_never_ends_is_not_kept(example: Example, piece: bytes, head: list[bytes]) -> None:
    run = Run(example)
    block = (piece or b"\0") * (BLOCK // max(1, len(piece)))
    coming = iter([b"".join(head)])
    for _ in range(100):
        match run.asked:
            case Receive():
                run.tell(Received(next(coming, block)))
            case None:
                break
            case _:
                run.tell(USUAL[type(run.asked)])
    if run.outcome is None:
        run.tell(DeadlineReached())
    assert run.outcome is not None
