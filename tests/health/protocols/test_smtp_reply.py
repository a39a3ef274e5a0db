import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_health.protocols.smtp_reply import (
    LINE_LIMIT,
    LINES_LIMIT,
    MalformedReply,
    OversizedReply,
    Reply,
    take,
)

REPLIES = [
    (b"220 mx.example ESMTP\r\n", Reply(220, (b"mx.example ESMTP",))),
    (b"220\r\n", Reply(220, (b"",))),
    (b"220 bare newline\n", Reply(220, (b"bare newline",))),
    (
        b"250-mx.example\r\n250-SIZE 1\r\n250 AUTH PLAIN\r\n",
        Reply(250, (b"mx.example", b"SIZE 1", b"AUTH PLAIN")),
    ),
    (b"554-\r\n554 go away\r\n", Reply(554, (b"", b"go away"))),
]


@pytest.mark.parametrize(("wire", "reply"), REPLIES)
def test_a_reply_is_whole_with_its_last_line(wire: bytes, reply: Reply) -> None:
    assert take(wire + b"250 next") == (reply, b"250 next")
    for cut in range(len(wire)):
        assert take(wire[:cut]) is None


def test_the_text_of_a_reply_is_one_line() -> None:
    assert Reply(554, (b"", b"go", b"away")).text == b"554 go away"


def test_an_ehlo_tells_what_is_offered() -> None:
    reply = Reply(250, (b"STARTTLS", b"Size 100", b"auth plain LOGIN", b"AUTH=CRAM-MD5", b""))
    assert reply.offers == {
        b"SIZE", b"SIZE 100", b"AUTH", b"AUTH PLAIN", b"AUTH LOGIN", b"AUTH CRAM-MD5", b"",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("wire", "complaint"),
    [
        (b"HTTP/1.1 400 Bad\r\n", "no reply line"),
        (b"120 x\r\n", "no reply line"),
        (b"620 x\r\n", "no reply line"),
        (b"22 x\r\n", "no reply line"),
        (b"220x\r\n", "no reply line"),
        (b"220 a\0b\r\n", "no reply line"),
        (b"\r\n", "no reply line"),
        (b"250-a\r\n251 b\r\n", "a reply of two codes, 250 and 251"),
    ],
)
def test_what_is_no_reply_is_malformed(wire: bytes, complaint: str) -> None:
    with pytest.raises(MalformedReply, match=complaint):
        take(wire)


@pytest.mark.parametrize(
    ("wire", "complaint"),
    [
        (b"220 ".ljust(LINE_LIMIT, b"x"), "a line of more than 1024 bytes"),
        (b"220 ".ljust(LINE_LIMIT, b"x") + b"\r\n", "a line of more than 1024 bytes"),
        (b"220-x\r\n" * LINES_LIMIT, "a reply of more than 100 lines"),
    ],
)
def test_a_reply_without_end_is_oversized(wire: bytes, complaint: str) -> None:
    with pytest.raises(OversizedReply, match=complaint):
        take(wire)


@given(st.lists(st.sampled_from([b"220", b"-", b" ", b"\r\n", b"\n", b"9", b"x"]) | st.binary()))
def test_any_bytes_are_a_reply_or_a_wait_or_wrong(pieces: list[bytes]) -> None:
    wire = b"".join(pieces)
    try:
        found = take(wire)
    except (MalformedReply, OversizedReply):
        return
    if found is None:
        assert len(wire) < LINE_LIMIT * LINES_LIMIT
    else:
        reply, rest = found
        assert 200 <= reply.code <= 599
        assert wire.endswith(rest)
        assert reply.offers is not None
