"""What is asked of the kernel over rtnetlink, and what it answers; lost answers are no hang."""

import contextlib
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeVar

from libra_vrrp import routing, rtnetlink
from libra_vrrp.renewal import UNKNOWN
from libra_vrrp.routing import Entry, Kind
from libra_vrrp.rtnetlink import Answered

T = TypeVar("T")

_BATCH: Final = 64
_LARGEST: Final = 1 << 17
_PATIENCE: Final = 5.0
_SOL_NETLINK, _CAP_ACK, _EXT_ACK, _STRICT_CHECK = 270, 10, 11, 12
_FAMILIES: Final = (4, 6)


class Questions:
    """Requests in order over one socket, which is opened anew when an answer was lost."""

    def __init__(self) -> None:
        self._socket = _netlink()
        self._sequence = 0

    def ask(self, request: Callable[[int, T], bytes], about: Sequence[T]) -> list[Answered]:
        """Make a request about each, and return the answers, `UNKNOWN` where one was lost."""
        found: list[Answered] = []
        for at in range(0, len(about), _BATCH):
            part = {self._number(): one for one in about[at : at + _BATCH]}
            answers = {number: Answered(number, UNKNOWN) for number in part}
            self._exchange(b"".join(request(n, one) for n, one in part.items()), answers)
            found += answers.values()
        return found

    def close(self) -> None:
        """Ask nothing more."""
        self._socket.close()

    def entries(self) -> list[Entry]:
        """Return every route and rule that is ours; what cannot be listed is left out."""
        kinds = [(kind, family) for kind in Kind for family in _FAMILIES]
        return [entry for kind, family in kinds for entry in self._listed(kind, family)]

    def _listed(self, kind: Kind, family: int) -> list[Entry]:
        number = self._number()
        answers, found = {number: Answered(number, UNKNOWN)}, list[Entry]()
        for datagram in self._exchanged(routing.listing(number, kind, family), answers):
            found += routing.ours(datagram)
        return found

    def _exchange(self, requests: bytes, answers: dict[int, Answered]) -> None:
        for _ in self._exchanged(requests, answers):
            pass

    def _exchanged(self, requests: bytes, answers: dict[int, Answered]) -> Iterator[bytes]:
        """Send requests in one go, note the answer to each, and yield what the kernel says."""
        missing = set(answers)
        try:
            self._socket.send(requests)
            while missing:
                said = self._socket.recv(_LARGEST)
                yield said
                for one in rtnetlink.decode(said):
                    if isinstance(one, Answered) and one.sequence in missing:
                        missing.discard(one.sequence)
                        answers[one.sequence] = one
        except OSError:
            self._reopen()

    def _reopen(self) -> None:
        """Leave late answers behind with their socket; where there can be no other, keep it."""
        with contextlib.suppress(OSError):
            fresh = _netlink()
            self._socket.close()
            self._socket = fresh

    def _number(self) -> int:
        self._sequence += 1
        return self._sequence


def reason(answer: Answered) -> str:
    """Say what the kernel answered, in its words where it has some."""
    if answer.errno == UNKNOWN:
        return "the kernel did not answer"
    why = f" ({answer.why})" if answer.why else ""
    return f"{os.strerror(answer.errno)}{why}"


def _netlink() -> socket.socket:
    netlink = socket.socket(
        socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE
    )
    netlink.bind((0, 0))
    netlink.settimeout(_PATIENCE)
    for option in (_CAP_ACK, _EXT_ACK, _STRICT_CHECK):
        with contextlib.suppress(OSError):  # before Linux 4.20 every route is listed
            netlink.setsockopt(_SOL_NETLINK, option, 1)
    return netlink
