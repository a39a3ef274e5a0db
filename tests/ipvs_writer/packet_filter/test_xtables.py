"""Matches and targets of iptables: what is not known for sure is unclear."""

from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ipvs_writer.packet_filter.rules import Action, Condition, Tracked, Tracking, Unclear
from libra_ipvs_writer.packet_filter.xtables import action, condition


def conntrack(flags: int, inverted: int, mask: int) -> bytes:
    return bytes(146) + pack("=HHH", flags, inverted, mask) + bytes(10)


@pytest.mark.parametrize(
    ("revision", "info", "expected"),
    [
        pytest.param(
            3, conntrack(1, 0, 6), Tracked(Tracking.ESTABLISHED | Tracking.RELATED), id="3"
        ),
        pytest.param(1, conntrack(1, 0, 8), Tracked(Tracking.NEW), id="revision 1"),
        pytest.param(2, conntrack(1, 1, 256), Tracked(Tracking.UNTRACKED, negated=True), id="not"),
        pytest.param(3, conntrack(0x2001, 0, 1), Tracked(Tracking.INVALID), id="-m state"),
        pytest.param(3, conntrack(1, 0, 128), Unclear(), id="DNAT"),
        pytest.param(3, conntrack(3, 0, 6), Unclear(), id="state and protocol"),
        pytest.param(9, conntrack(1, 0, 6), Unclear(), id="a revision to come"),
        pytest.param(3, bytes(140), Unclear(), id="too short"),
    ],
)
def test_the_state_of_connection_tracking(revision: int, info: bytes, expected: Condition) -> None:
    assert condition("conntrack", revision, info) == expected


def test_a_comment_holds_for_every_packet_and_others_are_unclear() -> None:
    assert condition("comment", 0, b"why\0") is None
    assert condition("tcp", 0, bytes(12)) == Unclear()


@given(st.integers(0, 255), st.binary(max_size=200))
def test_any_bytes_are_a_condition(revision: int, info: bytes) -> None:
    assert isinstance(condition("conntrack", revision, info), Tracked | Unclear)


def test_targets_drop_or_go_on_where_that_is_known() -> None:
    assert action("REJECT") is Action.DROP
    assert action("LOG") is Action.GO_ON
    assert action("NFQUEUE") is Action.UNSURE
