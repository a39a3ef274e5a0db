"""`python -m libra_runtime.healthcheck`: a container's own service says how it is.

Asks `/healthz` on LIBRA_METRICS_PORT of loopback: a service that hangs or cannot do its work is
told from one that works. Imports little, as it runs every few seconds.
"""

import os
import socket
import sys
from contextlib import suppress

TIMEOUT = 3.0
"""Seconds for the whole answer's every part."""

NAMESPACE = "Libra-Process-Namespace"
"""The header that tells one container's service from another's on the same port of the host."""

SPEAKER = "Libra-Service"
"""The header that names who answers: `health of a`."""

_REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


def trouble(port: int) -> str | None:
    """Ask the service on loopback *port*: None = healthy, else what is wrong in one sentence."""
    try:
        answer = _exchange(port)
    except OSError as error:
        return f"nothing healthy answers on 127.0.0.1:{port}: {error.strerror or error}"
    head, _, body = answer.partition(b"\r\n\r\n")
    if answer and f"{NAMESPACE}: {namespace()}".encode() not in head.split(b"\r\n"):
        return (
            f"127.0.0.1:{port} is taken by a process outside this container: stop it ({find(port)})"
        )
    if head.split(b" ", 2)[1:2] == [b"200"]:
        return None
    return body.decode(errors="replace").strip() or f"127.0.0.1:{port} gave no whole answer"


def namespace() -> str:
    """Name the process namespace we are in, "" where it may not be known: namespaces(7)."""
    with suppress(OSError):
        return os.readlink("/proc/self/ns/pid")  # noqa: PTH115 - pathlib is slow to import
    return ""


def find(port: int) -> str:
    """Say how to find who listens on *port*."""
    return f"`ss -ltnp 'sport = :{port}'` on the host names it"


def _exchange(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), TIMEOUT) as connection:
        connection.sendall(_REQUEST)
        parts: list[bytes] = []
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def main() -> None:
    """Print what is wrong and exit 1, or say nothing and exit 0."""
    wrong = trouble(int(os.environ["LIBRA_METRICS_PORT"]))
    if wrong is not None:
        sys.exit(wrong)


if __name__ == "__main__":
    main()
