"""Tell who took or lost an address, and what was advertised where, a line each, and when.

`python watcher.py ADDRESS KIND,NAME,DESCRIPTOR...`: the sockets in the networks. It is a process of
its own, ahead of all others where that is allowed: its clock waits for no test.
"""

import contextlib
import os
import select
import socket
import sys
import time
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final

from libra_vrrp import rtnetlink
from libra_vrrp.rtnetlink import AddressGone, AddressHeld, IpAddress

KERNEL, CABLE = "kernel", "cable"
"""What a socket hears: a kernel's addresses, or frames: a director's own, or the client's (``)."""
ETH_P_IP: Final = 0x0800
ETH_P_IPV6: Final = 0x86DD
VRRP: Final = 112
AHEAD: Final = 60
"""A real-time priority above those of LibrA's processes."""
LARGEST: Final = 1 << 16


def main(address: IpAddress, watched: list[tuple[str, str, socket.socket]]) -> None:
    """Tell until standard output has no reader."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(AHEAD))
    poll = select.epoll()
    by_number = {one.fileno(): (kind, name, one) for kind, name, one in watched}
    for number in by_number:
        poll.register(number, select.EPOLLIN)
    sys.stdout.write("watching\n")
    while True:
        sys.stdout.flush()
        for number, _ in poll.poll():
            kind, name, one = by_number[number]
            told, sender = one.recvfrom(LARGEST)
            now = time.monotonic()
            if kind == KERNEL:
                said = changes(told, address)
            elif name and sender[2] != socket.PACKET_OUTGOING:
                continue
            else:
                said = adverts(told)
            sys.stdout.writelines(f"{now} {kind} {words} {name}\n" for words in said)


def changes(datagram: bytes, address: IpAddress) -> Iterator[str]:
    """Say whether the address was taken or lost."""
    for said in rtnetlink.decode(datagram):
        match said:
            case AddressHeld(address=held) if held == address:
                yield "taken -"
            case AddressGone(address=gone) if gone == address:
                yield "lost -"
            case _:
                pass


def adverts(frame: bytes) -> Iterator[str]:
    """Say who advertised with which priority; under a seal that octet means nothing."""
    kind, packet = int.from_bytes(frame[12:14]), frame[14:]
    if kind == ETH_P_IP and packet[9] == VRRP:
        yield f"{ip_address(packet[12:16])} {packet[(packet[0] & 15) * 4 + 2]}"
    if kind == ETH_P_IPV6 and packet[6] == VRRP:
        yield f"{ip_address(packet[8:24])} {packet[42]}"


if __name__ == "__main__":
    words = [one.split(",") for one in sys.argv[2:]]
    with contextlib.suppress(BrokenPipeError):
        main(
            ip_address(sys.argv[1]),
            [(kind, name, socket.socket(fileno=int(number))) for kind, name, number in words],
        )
