import pytest

from libra_health.decoded.talk import Talk
from libra_health.outcome import Reason, excerpt
from libra_health.wire import (
    Connect,
    Connected,
    DeadlineReached,
    Effect,
    Ended,
    Input,
    OpenPing,
    OpenUdp,
    PingOpened,
    Refused,
    StartTls,
    Target,
    Tls,
    Unsecured,
)

V4, V6 = Target("192.0.2.1", 53), Target("2001:db8::1")
ENDS: list[Input] = [
    Ended(), DeadlineReached(), Refused(104, immediate=False), Unsecured(Reason.TLS, "no"),
]  # fmt: skip


@pytest.mark.parametrize("kind", ["dns", "grpc", "icmp", "ldap"])
@pytest.mark.parametrize("opening", [Connect(V4, abort=False), OpenUdp(V4), OpenPing(V6, bytes(4))])
def test_binary_protocols_are_read(kind: str, opening: Effect) -> None:
    talk, said = Talk(kind).after(opening)
    assert talk.sent is not None
    assert talk.heard is not None
    assert said == ()


def test_a_protocol_of_text_is_shown_as_it_comes() -> None:
    talk, _ = Talk("smtp").after(Connect(V4, abort=False))
    assert talk.say(b"EHLO a\r\n", excerpt) == (talk, (b"EHLO a\r\n",))
    assert talk.hear(b"250 b\r\n", excerpt) == (talk, (b"250 b\r\n",))


def test_both_directions_are_put_in_words() -> None:
    talk, _ = Talk("ldap").after(Connect(V4, abort=False))
    talk, said = talk.say(bytes.fromhex("300c020101600702010304008000"), excerpt)
    assert said == ("LDAP 1 bind, anonymous",)
    _, heard = talk.hear(bytes.fromhex("300c02010161070a010004000400"), excerpt)
    assert heard == ("LDAP 1 bind result success (0)",)


@pytest.mark.parametrize("end", ENDS)
def test_the_beginning_of_a_message_is_shown_at_the_end_once(end: Input) -> None:
    talk, _ = Talk("ldap").after(Connect(V4, abort=False))
    talk, _ = talk.hear(b"\x30\x0c\x02", excerpt)
    talk, rest = talk.after(end)
    assert rest == (b"\x30\x0c\x02",)
    assert talk.after(end) == (talk, ())


def test_the_end_of_what_is_not_read_brings_nothing() -> None:
    talk = Talk("smtp")
    assert talk.after(Ended()) == (talk, ())
    assert talk.after(Connected()) == (talk, ())


@pytest.mark.parametrize("opening", [Connect(V4, abort=False), StartTls(Tls("a"))])
def test_on_a_new_channel_nothing_of_the_one_before_counts(opening: Effect) -> None:
    talk, _ = Talk("ldap").after(Connect(V4, abort=False))
    talk, _ = talk.hear(b"\x30\x0c\x02", excerpt)
    talk, _ = talk.after(opening)
    assert talk.heard is not None
    assert talk.heard.pending == b""


def test_an_echo_socket_says_whether_it_is_a_raw_one() -> None:
    talk, _ = Talk("icmp").after(OpenPing(V6, bytes(4)))
    talk, _ = talk.after(PingOpened(raw=True))
    assert talk.way is not None
    assert (talk.way.is_raw, talk.way.is_ipv6) == (True, True)
    assert Talk("icmp").after(PingOpened(raw=True)) == (Talk("icmp"), ())
