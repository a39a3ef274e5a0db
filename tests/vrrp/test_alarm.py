"""Alarms are heard, but do not ring without end."""

from libra_vrrp.alarm import Rung, ring


def test_the_first_alarm_rings_and_the_next_ones_are_counted() -> None:
    last = Rung()
    rung = []
    for now in (0.0, 1.0, 9.9, 10.0, 10.1, 30.0):
        last, times = ring(last, now)
        rung.append(times)
    assert rung == [1, 0, 0, 3, 0, 2]
