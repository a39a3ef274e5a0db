import pytest

from libra_health.decoded.flow import HELD, Flow, Show, Unreadable
from libra_health.outcome import excerpt


def take(data: bytes, show: Show) -> tuple[str, int] | None:
    """Read messages that begin with their length, of 9 at most."""
    if data[0] > 9:
        raise Unreadable
    return None if len(data) <= data[0] else (show(data[1 : data[0] + 1]), data[0] + 1)


STREAM, DATAGRAMS = Flow(take, is_stream=True), Flow(take, is_stream=False)


def test_every_message_that_is_whole_is_put_in_words() -> None:
    assert STREAM.read(b"\x01a\x02bc", excerpt, 9)[1] == ("a", "bc")


def test_a_message_is_waited_for_until_it_is_whole() -> None:
    flow, said = STREAM.read(b"\x02b", excerpt, 9)
    assert said == ("(2 bytes, the message is not whole)",)
    flow, said = flow.read(b"c\x01", excerpt, 9)
    assert said == ("bc",)
    assert flow.end()[1] == b"\x01"
    assert flow.end()[0].end()[1] == b""


def test_what_is_no_message_comes_back_as_it_is_and_so_does_all_after_it() -> None:
    flow, said = STREAM.read(b"\x01a\xffb", excerpt, 9)
    assert said == ("a", b"\xffb")
    assert flow.read(b"\x01a", excerpt, 9)[1] == (b"\x01a",)


@pytest.mark.parametrize("data", [b"\xff", b"\x02a", b"\x01ab"])
def test_a_datagram_is_one_message_or_comes_back_as_it_is(data: bytes) -> None:
    flow, said = DATAGRAMS.read(data, excerpt, 9)
    assert said == (data,)
    assert flow.read(b"\x01a", excerpt, 9)[1] == ("a",)


def test_more_messages_than_anybody_reads_are_left_as_they_are() -> None:
    flow, said = STREAM.read(b"\x01a" * 4, excerpt, 3)
    assert said == ("a", "a", "a", b"\x01a")
    assert flow.is_lost


def test_no_message_is_waited_for_for_ever() -> None:
    flow, said = Flow(lambda _data, _show: None, is_stream=True).read(bytes(HELD + 1), excerpt, 9)
    assert (flow.pending, said) == (b"", (bytes(HELD + 1),))
