"""What the bell tells of, and how often."""

import time
from ipaddress import IPv4Address

import pytest

from libra_vrrp.reports import AlarmRaised
from libra_vrrp.shell.bell import Bell

PEER = IPv4Address("192.0.2.9")


def test_each_cause_of_an_instance_is_told_once_and_what_followed_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = list[AlarmRaised]()
    ringing, now = Bell(told.append), [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    for _ in range(3):
        ringing.ring("front", "seal", PEER, "its state file was lost", "lost")
        ringing.ring("front", "seal", None, "no key file", "no key file")
        ringing.ring("back", "seal", PEER, "its state file was lost", "lost")
    now[0] += 10.0
    ringing.ring("front", "seal", PEER, "its state file was lost", "lost")
    assert [(one.instance, one.peer, one.detail, one.count) for one in told] == [
        ("front", "192.0.2.9", "its state file was lost", 1),
        ("front", None, "no key file", 1),
        ("back", "192.0.2.9", "its state file was lost", 1),
        ("front", "192.0.2.9", "its state file was lost", 3),
    ]
