"""Counters are read from the 64-bit statistics of a dump."""

from struct import pack

import pytest

from libra_ipvs_writer.netlink import MalformedMessage, attribute, generic, nested
from libra_ipvs_writer.usage import Counters, Usage, decode_counters, decode_usage


def statistics(*values: int) -> bytes:
    return b"".join(attribute(kind, pack("=Q", value)) for kind, value in enumerate(values, 1))


def test_a_service_says_what_it_carried() -> None:
    payload = generic(1, 1, nested(1, nested(12, statistics(1, 2, 3, 2**40, 5, 6, 7, 8, 9, 10))))
    assert decode_counters(payload) == Counters(1, 2, 3, 2**40, 5)


def test_a_destination_says_its_connections_too() -> None:
    now = b"".join(attribute(kind, pack("=I", kind)) for kind in (7, 8, 9))
    payload = generic(5, 1, nested(2, now, nested(12, statistics(1, 2, 3, 4, 5))))
    assert decode_usage(payload) == Usage(7, 8, 9, Counters(1, 2, 3, 4, 5))


def test_a_kernel_without_64_bit_statistics_is_told_apart() -> None:
    with pytest.raises(MalformedMessage, match="attribute 12 is missing"):
        decode_counters(generic(1, 1, nested(1)))
