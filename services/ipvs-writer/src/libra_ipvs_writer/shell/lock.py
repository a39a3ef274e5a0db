"""One writer per kernel: an abstract unix socket, which lives in the network namespace."""

import socket
from errno import EADDRINUSE

from libra_schemas.errors import LibraError

NAME = "\0libra-ipvs-writer"


class SecondWriter(LibraError):
    """Another ipvs-writer holds this kernel's table."""


def hold() -> socket.socket:
    """Take the lock until the socket is closed or the process ends; raise SecondWriter."""
    taken = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        taken.bind(NAME)
    except OSError as error:
        taken.close()
        if error.errno != EADDRINUSE:
            raise
        raise SecondWriter(
            "Another ipvs-writer already writes this kernel's IPVS table: "
            "stop it, or start this one in a network namespace of its own."
        ) from error
    return taken
