"""Who listens at both directors' cables: every frame that they send, and what it carries."""

import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from select import select
from typing import Final

from libra_lab.node import Node
from libra_vrrp.tether.message import Frame, split

ETH_P_ALL: Final = 3
PACKET_OUTGOING: Final = 4
SOL_PACKET: Final = 263
PACKET_STATISTICS: Final = 6
ROOM: Final = 1 << 24
"""Octets that wait for a busy listener (linux/if_packet.h, socket(7))."""
ARP, IP, IPV6 = 0x0806, 0x0800, 0x86DD
HOP_BY_HOP, IGMP, TCP, ICMPV6, VRRP = 0, 2, 6, 58, 112
SYN = 2


@dataclass(frozen=True)
class Packet:
    """A frame that a director sent: `kind` is the protocol, or `arp`; `source` is packed."""

    sender: str
    kind: str
    source: bytes
    carried: bytes


KINDS: Final = {
    (IP, VRRP): "vrrp",
    (IPV6, VRRP): "vrrp6",
    (IP, TCP): "tcp",
    (IP, IGMP): "igmp",
    (IPV6, ICMPV6): "icmp6",
}


def packet(sender: str, frame: bytes) -> Packet:
    """Read a frame; what is nothing of the above is of the kind that its numbers are."""
    kind, carried = int.from_bytes(frame[12:14]), frame[14:]
    if kind == ARP:
        return Packet(sender, "arp", carried[14:18], carried)
    if kind == IP:
        size, length = (carried[0] & 15) * 4, int.from_bytes(carried[2:4])
        return _packet(sender, IP, carried[9], carried[12:16], carried[size:length])
    if kind == IPV6:
        inner, end = carried[6], 40 + int.from_bytes(carried[4:6])
        begins = 40 if inner != HOP_BY_HOP else 48 + 8 * carried[41]
        inner = inner if inner != HOP_BY_HOP else carried[40]
        return _packet(sender, IPV6, inner, carried[8:24], carried[begins:end])
    return Packet(sender, f"{kind:#06x}", b"", carried)


def _packet(sender: str, family: int, protocol: int, source: bytes, carried: bytes) -> Packet:
    kind = KINDS.get((family, protocol), f"{family:#06x} {protocol}")
    return Packet(sender, kind, source, carried)


@dataclass
class Wire:
    """What was sent since it was made."""

    packets: list[Packet] = field(default_factory=list)

    def of(self, *kinds: str) -> list[Packet]:
        """Return the packets of these kinds, in order."""
        return [one for one in self.packets if one.kind in kinds]

    def tethers(self, port: int) -> list[Frame]:
        """Return what was said in the streams of TCP from or to a port, each octet once."""
        frames: list[Frame] = []
        streams: dict[tuple[bytes, bytes], tuple[int, bytes]] = {}
        for one in self.of("tcp"):
            if port not in struct.unpack_from("!HH", one.carried):
                continue
            which = one.source, one.carried[:4]
            number, flags = int.from_bytes(one.carried[4:8]), one.carried[13]
            said = one.carried[(one.carried[12] >> 4) * 4 :]
            if flags & SYN:
                streams[which] = (number + 1) % (1 << 32), b""
                continue
            due, rest = streams.get(which, (number, b""))
            fresh = said[(due - number) % (1 << 32) :] if said else b""
            found, rest = split(rest + fresh)
            streams[which] = (due + len(fresh)) % (1 << 32), rest
            frames += found
        return frames


@contextmanager
def listening(nodes: Sequence[Node]) -> Iterator[Wire]:
    """Listen at every node's eth0 while the block runs; fail where a frame was missed."""
    wire, names = Wire(), {node.call(_frames): node.name for node in nodes}
    stop, stopped = socket.socketpair()
    hearing = threading.Thread(target=_hear, args=(wire, names, stopped), daemon=True)
    hearing.start()
    try:
        yield wire
    finally:
        stop.close()
        hearing.join()
        missed = [_missed(one) for one in names]
        for one in (*names, stopped):
            one.close()
    assert missed == [0 for _ in names]


def _hear(wire: Wire, names: dict[socket.socket, str], stopped: socket.socket) -> None:
    while True:
        for one in select([*names, stopped], [], [])[0]:
            if one is stopped:
                return
            frame, (_, _, way, *_) = one.recvfrom(1 << 16)
            if way == PACKET_OUTGOING:
                wire.packets.append(packet(names[one], frame))


def _frames() -> socket.socket:
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM)
    made.bind(("eth0", ETH_P_ALL))
    return made


def _missed(one: socket.socket) -> int:
    seen, dropped = struct.unpack("II", one.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
    assert seen
    return int(dropped)
