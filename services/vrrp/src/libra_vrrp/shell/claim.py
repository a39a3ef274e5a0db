"""One machine per host: an abstract unix socket, which lives in the network namespace (unix(7)).

A second one would take the addresses of the first for what its own predecessor left, and remove
them.
"""

import socket
from errno import EADDRINUSE
from typing import Final

NAME: Final = "\0libra-vrrp"
RETRY: Final = 0.2
"""Seconds after which a claim that another holds is tried again."""

RIVAL: Final = (
    "another libra-vrrp works in this network namespace: stop it (`ss -xlp` on the host names who "
    "listens on @libra-vrrp)"
)


class Claim:
    """Held from the first `take` that succeeds until the process ends."""

    def __init__(self, name: str = NAME) -> None:
        self.name = name
        self._socket: socket.socket | None = None
        self.rival: str | None = None

    def close(self) -> None:
        """Give the claim up."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def retry_at(self, now: float) -> float:
        """Return when to try again, never where nobody is in our way."""
        return float("inf") if self.rival is None else now + RETRY

    def take(self) -> bool:
        """Take the claim, or say in `rival` who has it; True where that is news."""
        if self._socket is not None:
            return False
        had, self.rival = self.rival, None
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            claim.bind(self.name)
            claim.listen()
        except OSError as error:
            claim.close()
            if error.errno != EADDRINUSE:
                raise
            self.rival = RIVAL
        else:
            self._socket = claim
        return self.rival != had
