"""Questions to the kernel by netlink that change nothing: routes, links, packet filter."""

import socket
from collections.abc import Sequence
from itertools import count
from os import strerror
from struct import Struct
from types import TracebackType
from typing import Self

from libra_ipvs_writer.netlink import (
    NLM_F_DUMP,
    NLM_F_DUMP_INTR,
    NLM_F_REQUEST,
    NLMSG_DONE,
    NLMSG_ERROR,
    message,
    messages,
)
from libra_ipvs_writer.packet_filter.rules import UnreadableRules

ROUTE, NETFILTER = 0, 12
"""NETLINK_ROUTE, NETLINK_NETFILTER."""
TIMEVAL = Struct("@ll")
PATIENCE = 2
"""Seconds for an answer."""
DATAGRAM = 1 << 16
BATCH = 64


class Inquiry:
    """A netlink socket to ask by; every question may raise OSError, as the kernel refuses it."""

    def __init__(self, protocol: int) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, TIMEVAL.pack(PATIENCE, 0))
        self._socket.bind((0, 0))
        self._sequences = count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    def dump(self, kind: int, payload: bytes) -> list[bytes]:
        """Give the payloads of a whole dump; UnreadableRules where it changed meanwhile."""
        sequence = next(self._sequences)
        self._socket.send(message(kind, NLM_F_REQUEST | NLM_F_DUMP, sequence, payload))
        found: list[bytes] = []
        while True:
            for each in messages(self._socket.recv(DATAGRAM)):
                if each.type in (NLMSG_ERROR, NLMSG_DONE) and each.errno:
                    raise OSError(each.errno, strerror(each.errno))
                if each.flags & NLM_F_DUMP_INTR:
                    raise UnreadableRules("the kernel's tables changed while they were read")
                if each.type in (NLMSG_ERROR, NLMSG_DONE):
                    return found
                found.append(each.payload)

    def one(self, kind: int, payload: bytes) -> bytes:
        """Give the answer to one question."""
        answer = self.each(kind, [payload])[0]
        if isinstance(answer, int):
            raise OSError(answer, strerror(answer))
        return answer

    def each(self, kind: int, payloads: Sequence[bytes]) -> list[bytes | int]:
        """Ask many questions, some at a time; give each one's answer, or the errno."""
        found: list[bytes | int] = []
        for at in range(0, len(payloads), BATCH):
            found += self._some(kind, payloads[at : at + BATCH])
        return found

    def _some(self, kind: int, payloads: Sequence[bytes]) -> list[bytes | int]:
        numbered = {next(self._sequences): payload for payload in payloads}
        asked = (message(kind, NLM_F_REQUEST, *each) for each in numbered.items())
        self._socket.send(b"".join(asked))
        found: dict[int, bytes | int] = {}
        while len(found) < len(numbered):
            for each in messages(self._socket.recv(DATAGRAM)):
                if each.sequence in numbered:
                    refused = each.type == NLMSG_ERROR
                    found[each.sequence] = each.errno if refused else each.payload
        return [found[sequence] for sequence in numbered]
