"""Gratuitous ARP, as a neighbour's cable carries it."""

import socket
import struct
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from tests.kernel.conftest import PATIENCE, VIP

from libra_vrrp.announce import Garp

if TYPE_CHECKING:
    from tests.kernel.conftest import Pair

pytestmark = pytest.mark.network

ETH_P_ARP = 0x0806
SO_TIMESTAMPNS = 35
"""asm-generic/socket.h: the kernel says when a frame came in."""
DELAY = 2.0
REPEAT = 5
ADVERTS = 8
"""Of a master, by which nothing more was announced."""


def listening() -> socket.socket:
    """Return a socket for all ARP on eth0."""
    frames = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ARP))
    frames.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    frames.bind(("eth0", ETH_P_ARP))
    frames.settimeout(PATIENCE)
    return frames


def announced(frames: socket.socket) -> tuple[float, bytes]:
    """Return the next frame whose sender is the virtual address, and when it came in."""
    while True:
        frame, ancillary, *_ = frames.recvmsg(128, 64)
        if frame[28:32] == VIP.packed:
            seconds, nanoseconds = struct.unpack("qq", ancillary[0][2])
            return seconds + nanoseconds / 1e9, frame


def test_a_new_master_tells_the_neighbours_five_times_and_five_times_more_after_the_delay(
    pair: "Pair",
) -> None:
    """RFC 9568 section 6.4.1, as keepalived does it: requests, sender and target the same."""
    pair.a.order = replace(pair.a.order, garp=Garp(REPEAT, DELAY))
    pair.a.write()
    mac = bytes.fromhex(pair.a.mac().replace(":", ""))
    ends = mac + VIP.packed + b"\xff" * 6 + VIP.packed
    gratuitous = b"\xff" * 6 + mac + bytes.fromhex("0806 0001 0800 06 04 0001") + ends
    with pair.client.call(listening) as frames:
        pair.a.start()
        seen = [announced(frames) for _ in range(2 * REPEAT)]
        with pair.client.capture("eth0", "ip proto 112") as said:
            pair.soon(lambda: len(said.lines) >= ADVERTS, "it goes on")
        frames.setblocking(False)
        with pytest.raises(BlockingIOError):
            announced(frames)
    assert {frame for _, frame in seen} == {gratuitous}
    times = [at for at, _ in seen]
    gaps = [after - before for before, after in pairwise(times)]
    assert gaps.index(max(gaps)) == REPEAT - 1
    assert DELAY - pair.a.order.interval < max(gaps)
    assert sum(gaps) - max(gaps) < DELAY


def test_a_successor_announces_by_its_own_hardware_address(pair: "Pair") -> None:
    pair.start()
    with pair.client.call(listening) as frames:
        pair.a.stop()
        mac = bytes.fromhex(pair.b.mac().replace(":", ""))
        seen = [announced(frames)[1] for _ in range(REPEAT)]
    assert {(frame[6:12], frame[22:28]) for frame in seen} == {(mac, mac)}
