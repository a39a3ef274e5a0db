"""What we put in place of nats-py's own, and how a connection ends."""

from hypothesis import example, given
from hypothesis import strategies as st
from nats.aio.client import Client

from libra_runtime.client import header_lines

LINES = st.lists(st.binary(max_size=12), max_size=8).map(b"\r\n".join)


@given(LINES | st.binary(max_size=200))
@example(b"Nats-Sequence: 7\r\nNats-Subject:\tlvs.a\r\n\r\n")
@example(b"Status: 1\r\nStatus: 2\r\n")
@example(b"\xff: x\r\na b: y\r\nno colon\r\n: nameless\r\nText: \xff\r\n")
def test_headers_are_read_as_nats_py_reads_them(block: bytes) -> None:
    theirs = Client._parse_header_lines(block)
    theirs.pop("", None)
    assert header_lines(block) == theirs
