"""Alarms are heard, but do not ring without end."""

from libra_vrrp.alarm import Quiet, ring


def test_the_first_alarm_rings_and_the_next_ones_are_counted() -> None:
    known = Quiet(quiet=10.0)
    rung = []
    for now in (0.0, 1.0, 9.9, 10.0, 10.1, 30.0):
        known, times = ring(known, "two-masters", now)
        rung.append(times)
    assert rung == [1, 0, 0, 3, 0, 2]


def test_kinds_ring_for_themselves() -> None:
    known, _ = ring(Quiet(), ("front", "checksum"), 0.0)
    assert ring(known, ("back", "checksum"), 0.0)[1] == 1
