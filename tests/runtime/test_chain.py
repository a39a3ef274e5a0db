"""The chain of one source, and reading its head back from bytes."""

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from libra_runtime import stamp
from libra_runtime.chain import START, Head, head_of, link
from libra_schemas.envelope import NEW_CHAIN, decode
from libra_schemas.events import Stopped


def test_a_chain_starts_with_zeros_and_goes_on_by_the_hash_of_exact_bytes() -> None:
    draft = stamp.draft("node.stopped", ("health",), Stopped(service="health"))
    first, head = link(START, draft, "a", "health", 1)
    second, _ = link(head, draft, "a", "health", 2)
    events = [decode("lvs.a.node.stopped.health", raw)[1] for raw in (first, second)]
    assert [event.chainseq for event in events] == ["1", "2"]
    assert [event.chainprev for event in events] == [NEW_CHAIN, sha256(first).hexdigest()]
    assert [event.epoch for event in events] == [1, 2]


def test_a_head_read_back_from_the_log_is_the_head_that_was_sent() -> None:
    draft = stamp.draft("node.stopped", ("health",), Stopped(service="health"))
    raw, sent = link(START, draft, "a", "health", 3)
    assert head_of(raw, 17, "a", "health") == Head(sent.id, 1, sent.digest, 3, 17)


def test_another_source_is_no_head_of_ours() -> None:
    draft = stamp.draft("node.stopped", ("health",), Stopped(service="health"))
    raw, _ = link(START, draft, "a", "health", 1)
    assert head_of(raw, 1, "a", "vrrp") is None
    assert head_of(raw, 1, "b", "health") is None


@given(st.binary(max_size=300) | st.sampled_from([b"[]", b"{}", b'{"source": "/lvs/a/health"}']))
def test_any_bytes_are_a_head_or_none(raw: bytes) -> None:
    assert head_of(raw, 1, "a", "health") is None
