"""`python -m libra_runtime.healthcheck`: a container's own service says how it is.

Asks `/healthz` on LIBRA_METRICS_PORT of loopback: a service that hangs or cannot do its work is
told from one that works. Imports little, as it runs every few seconds.
"""

import os
import socket
import sys

TIMEOUT = 3.0
"""Seconds for the whole answer's every part."""

_REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


def trouble(port: int) -> str | None:
    """Ask the service on loopback *port*: None = healthy, else what is wrong in one sentence."""
    try:
        answer = _exchange(port)
    except OSError as error:
        return f"nothing healthy answers on 127.0.0.1:{port}: {error.strerror or error}"
    head, _, body = answer.partition(b"\r\n\r\n")
    if head.split(b" ", 2)[1:2] == [b"200"]:
        return None
    return body.decode(errors="replace").strip() or f"127.0.0.1:{port} gave no whole answer"


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
