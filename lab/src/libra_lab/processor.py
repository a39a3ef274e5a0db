"""One processor for the lab kernel, which has one itself, and each lab another.

Each system call of the guest is a switch between two processes of the host: on one processor
that takes 9 us, across two 20 to 75 us (seen on a virtual machine with two).
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def own_processor(name: str = "libra-lab-processor") -> Iterator[int | None]:
    """Give the number of a processor that no other lab has; None where all are taken.

    A lab has what it has by a socket's `name`, which ends with its process (unix(7), abstract).
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as claim:
        yield _claimed(claim, name)


def _claimed(claim: socket.socket, name: str) -> int | None:
    for number in sorted(os.sched_getaffinity(0), reverse=True):
        try:
            claim.bind(f"\0{name}-{number}")
        except OSError:
            continue
        return number
    return None
