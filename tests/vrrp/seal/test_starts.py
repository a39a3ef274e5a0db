"""The state file of seals: counted once per start, never counted on from a damaged number."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_vrrp.seal.starts import (
    LAST,
    MalformedStarts,
    Starts,
    begun,
    dumps,
    loads,
    merged,
    proved,
)

A, B = b"a" * 8, b"b" * 8
starts = st.builds(
    Starts,
    own=st.integers(0, LAST),
    proven=st.dictionaries(st.binary(min_size=8, max_size=8), st.integers(1, LAST), max_size=9),
)


def test_the_file_reads_so() -> None:
    body = b'{"own": 7, "proven": {"6161616161616161": 3}}'
    text = hashlib.sha256(body).hexdigest().encode() + b"\n" + body + b"\n"
    assert dumps(Starts(7, {A: 3})) == text
    assert loads(text) == Starts(7, {A: 3})


@given(starts)
def test_every_content_survives_the_file(some: Starts) -> None:
    assert loads(dumps(some)) == some


def test_each_start_is_counted_and_the_last_one_stays() -> None:
    assert begun(Starts(7, {A: 3})) == Starts(8, {A: 3})
    assert begun(Starts(LAST)).own == LAST


def test_only_a_higher_start_is_remembered() -> None:
    known = proved(Starts(), A, 3)
    assert known.proven == {A: 3}
    assert proved(known, A, 2) is known
    assert proved(known, A, 3) is known
    assert proved(known, A, 4).proven == {A: 4}


def test_what_was_proven_before_the_file_was_read_is_kept() -> None:
    assert merged(Starts(1, {A: 5, B: 1}), Starts(8, {A: 3, B: 2})) == Starts(8, {A: 5, B: 2})


@given(starts, st.data())
def test_a_flipped_bit_is_never_believed(some: Starts, data: st.DataObject) -> None:
    text = bytearray(dumps(some))
    bit = data.draw(st.integers(0, (len(text) - 1) * 8 - 1))
    text[bit // 8] ^= 1 << bit % 8
    with pytest.raises(MalformedStarts):
        loads(bytes(text))


@given(starts, st.integers(0, 200))
def test_a_torn_file_is_never_believed(some: Starts, length: int) -> None:
    text = dumps(some)
    with pytest.raises(MalformedStarts):
        loads(text[: min(length, len(text) - 2)])


@pytest.mark.parametrize(
    "content",
    [
        pytest.param([], id="a list"),
        pytest.param({"own": 1}, id="no memory"),
        pytest.param({"own": "x", "proven": {}}, id="no number"),
        pytest.param({"own": 1, "proven": {"zz": 1}}, id="no sender"),
        pytest.param({"own": 1, "proven": 3}, id="a memory of no kind"),
    ],
)
def test_what_makes_no_sense_is_refused(content: object) -> None:
    body = json.dumps(content).encode()
    with pytest.raises(MalformedStarts, match="no sense"):
        loads(hashlib.sha256(body).hexdigest().encode() + b"\n" + body + b"\n")
