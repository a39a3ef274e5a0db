"""A master's words go out as frames from its virtual MAC; what fits no frame goes out as ever."""

from ipaddress import IPv4Address
from typing import Any, cast

import pytest
from tests.vrrp.test_vmacs import MAC, ORDER

from libra_vrrp.codec import Datagram
from libra_vrrp.shell.link import Announcer
from libra_vrrp.shell.links import Links
from libra_vrrp.shell.speech import Speech
from libra_vrrp.vmac import frame

SAID = Datagram(IPv4Address("192.0.2.1"), IPv4Address("224.0.0.18"), b"\x31\x33\x64\x01")


class Wire:
    """A socket that takes what it is given, or does not."""

    def __init__(self, *, takes: bool = True) -> None:
        self.sent: list[tuple[Any, Any]] = []
        self._takes = takes

    def send(self, where: object, what: object) -> bool:
        self.sent.append((where, what))
        return self._takes


def speech(base: Wire, frames: Wire) -> Speech:
    return Speech(cast("Links", base), cast("Announcer", frames))


def test_a_veiled_word_is_a_frame_on_the_parent() -> None:
    base, frames = Wire(), Wire()
    assert speech(base, frames).put(ORDER, [SAID], veiled=True)
    assert frames.sent == [("eth0", frame(SAID, MAC))]
    assert base.sent == []


@pytest.mark.parametrize("veiled", [False, True], ids=["unveiled", "too large for a frame"])
def test_anything_else_comes_from_the_base(*, veiled: bool) -> None:
    base = Wire()
    assert speech(base, Wire(takes=False)).put(ORDER, [SAID], veiled=veiled)
    assert base.sent == [(ORDER.channel, SAID)]


def test_nothing_to_say_is_not_said() -> None:
    assert not speech(Wire(), Wire()).put(ORDER, [], veiled=True)
    assert not speech(Wire(takes=False), Wire(takes=False)).put(ORDER, [SAID], veiled=True)
