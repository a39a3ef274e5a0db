"""Sync daemons and timeouts: ipvsadm's bytes, round trips, hostile bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ipvs_writer.daemons import (
    Daemon,
    Timeouts,
    decode_daemon,
    decode_timeouts,
    get_timeouts,
    list_daemons,
    set_timeouts,
    start_daemon,
    stop_daemon,
)
from libra_ipvs_writer.netlink import MalformedMessage, attribute, generic, nested

START = "090100001c0003800800010001000000070002006c6f00000800030007000000"
STOP = "0a0100001c000380080001000100000005000200000000000800030000000000"
TIMEOUTS = "0c01000008000400840300000800050078000000080006002c010000"


def test_daemons_are_started_and_stopped_with_the_bytes_of_ipvsadm() -> None:
    assert start_daemon(Daemon("master", "lo", 7)).hex() == START
    assert stop_daemon("master").hex() == STOP
    assert list_daemons().hex() == "0b010000"


def test_timeouts_are_set_and_read_with_the_bytes_of_ipvsadm() -> None:
    assert set_timeouts(Timeouts(900, 120, 300)).hex() == TIMEOUTS
    assert decode_timeouts(bytes.fromhex(TIMEOUTS)) == Timeouts(900, 120, 300)
    assert get_timeouts().hex() == "0d010000"


@given(
    st.builds(
        Daemon,
        st.sampled_from(("master", "backup")),
        st.sampled_from(("eth0", "vlan100.5")),
        st.integers(0, 255),
        st.integers(0, 65535),
        st.sampled_from(("", "224.0.0.81", "ff02::81")),
        st.integers(0, 65535),
        st.integers(0, 255),
    )
)
def test_a_daemon_survives_the_wire(daemon: Daemon) -> None:
    assert decode_daemon(start_daemon(daemon)) == daemon


@given(st.binary(max_size=80))
def test_any_bytes_decode_or_are_malformed(octets: bytes) -> None:
    for decode, kind in ((decode_daemon, Daemon), (decode_timeouts, Timeouts)):
        try:
            decoded = decode(octets)
        except MalformedMessage:
            continue
        assert isinstance(decoded, kind)


def test_a_daemon_of_no_role_is_malformed() -> None:
    nobody = generic(9, 1, nested(3, attribute(1, bytes(4))))
    with pytest.raises(MalformedMessage, match="neither master nor backup"):
        decode_daemon(nobody)
