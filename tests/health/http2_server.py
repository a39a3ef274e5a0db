"""The other side of a request over HTTP/2, on bytes: what a server may say."""

from h2.config import H2Configuration
from h2.connection import H2Connection

SETTINGS = b"\0\0\0\x04\0\0\0\0\0"
PING = b"\0\0\x08\x06\0\0\0\0\0" + b"a server"
SERVING = b"\0\0\0\0\x02\x08\x01"
GRPC = ((":status", "200"), ("content-type", "application/grpc"))
WELL = (("grpc-status", "0"),)

Fields = tuple[tuple[str, str], ...]


def frame(kind: int, payload: bytes, *, flags: int = 0, stream: int = 0) -> bytes:
    """Write a frame (RFC 9113 section 4.1)."""
    length = len(payload).to_bytes(3, "big")
    return length + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def goaway(last: int, code: int = 0, said: bytes = b"") -> bytes:
    """Write a GOAWAY: *last* is the last stream that is still served."""
    return frame(7, last.to_bytes(4, "big") + code.to_bytes(4, "big") + said)


class Server:
    """Hears a request and writes answers to it."""

    def __init__(self, request: bytes) -> None:
        config = H2Configuration(
            client_side=False, header_encoding="ascii", validate_outbound_headers=False,
            normalize_outbound_headers=False,
        )  # fmt: skip
        self.connection = H2Connection(config)
        self.connection.initiate_connection()
        self.heard = self.connection.receive_data(request)

    def answer(self, head: Fields = GRPC, body: bytes = SERVING, end: Fields = WELL) -> bytes:
        """Write a whole answer, the server's settings first; without `end` it has no trailers."""
        self.connection.send_headers(1, head, end_stream=not body and not end)
        if body:
            self.connection.send_data(1, body, end_stream=not end)
        if end:
            self.connection.send_headers(1, end, end_stream=True)
        return self.connection.data_to_send()
