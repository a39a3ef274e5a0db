"""One request over HTTP/2 and its answer (RFC 9113), by the library h2, which does no I/O.

The one rule: the library is fed whole frames, so that they are counted and none follows the end.
Importing it takes 25 ms or more: import this module only where it is needed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from h2 import events
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.exceptions import H2Error
from h2.settings import SettingCodes, Settings
from hpack.exceptions import HPACKError
from hyperframe.exceptions import HyperframeError

from libra_health.outcome import Failed, Reason, excerpt

FRAME_LIMIT: Final = 16384
"""Bytes of a frame: the least that a server must keep to (RFC 9113 section 4.2)."""
FRAMES: Final = 64
"""Frames until an answer is whole, settings and pings of the server among them."""
TOTAL: Final = 32768
"""Bytes until an answer is whole."""

_HEADER: Final = 9
_SETTINGS, _GOAWAY = 4, 7
_STREAM: Final = 1
_STUMBLES: Final = (
    H2Error, HPACKError, HyperframeError, ValueError, LookupError, ArithmeticError,
)  # fmt: skip
"""What the library raises on frames that are none."""


def _opened() -> H2Connection:
    connection = H2Connection(H2Configuration(client_side=True, header_encoding=False))
    connection.local_settings = Settings(
        client=True,
        initial_values={
            SettingCodes.ENABLE_PUSH: 0,
            SettingCodes.MAX_HEADER_LIST_SIZE: FRAME_LIMIT,
        },
    )
    connection.decoder.max_header_list_size = FRAME_LIMIT
    return connection


@dataclass(slots=True)
class Exchange:
    """A request under way. It is mutable, as the library's connection is.

    `unsent`: what is to be sent now. `head` and `trailers`: fields with small names. `failure`:
    what was wrong with HTTP/2 itself, without a latency.
    """

    body_limit: int
    head: dict[bytes, bytes] = field(default_factory=dict)
    trailers: dict[bytes, bytes] = field(default_factory=dict)
    body: bytes = b""
    is_whole: bool = False
    failure: Failed | None = None
    _connection: H2Connection = field(default_factory=_opened, repr=False)
    _pending: bytes = field(default=b"", repr=False)
    _frames: int = 0
    _total: int = 0

    @property
    def unsent(self) -> bytes:
        """Take what is to be sent now."""
        return self._connection.data_to_send()

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be heard."""
        return self.is_whole or self.failure is not None

    def ask(self, fields: tuple[tuple[str, str], ...], body: bytes) -> bytes:
        """Give the bytes that begin the connection and ask."""
        self._connection.initiate_connection()
        self._connection.send_headers(_STREAM, fields)
        self._connection.send_data(_STREAM, body, end_stream=True)
        return self.unsent

    def farewell(self) -> bytes:
        """Give the bytes that part; the server answers the ping, or closes."""
        self._connection.ping(b"farewell")
        self._connection.close_connection()
        return self.unsent

    def hear(self, data: bytes) -> None:
        """Take every whole frame that is there, until the answer is whole or has failed."""
        self._pending += data
        self._total += len(data)
        while not self.is_over and len(self._pending) >= _HEADER:
            length, kind = int.from_bytes(self._pending[:3], "big"), self._pending[3]
            if not self._frames and kind != _SETTINGS:
                self._fail(Reason.MALFORMED, f"no HTTP/2: '{excerpt(self._pending, 200)}'")
            elif length > FRAME_LIMIT:
                self._fail(Reason.OVERSIZED, f"a frame of {length} bytes")
            elif len(self._pending) < _HEADER + length:
                break
            else:
                frame, self._pending = (
                    self._pending[: _HEADER + length], self._pending[_HEADER + length :]
                )  # fmt: skip
                self._take(frame, kind)
        if not self.is_over and self._total > TOTAL:
            self._fail(Reason.OVERSIZED, f"no whole answer in {TOTAL} bytes")

    def _take(self, frame: bytes, kind: int) -> None:
        self._frames += 1
        if self._frames > FRAMES:
            self._fail(Reason.OVERSIZED, f"no whole answer in {FRAMES} frames")
            return
        if kind == _GOAWAY and _spares_us(frame):
            return
        try:
            heard = self._connection.receive_data(frame)
        except _STUMBLES as wrong:
            detail = f"HTTP/2: {type(wrong).__name__}: {excerpt(str(wrong).encode(), 200)}"
            self._fail(Reason.MALFORMED, detail)
            return
        for event in heard:
            self._note(event)

    def _note(self, event: events.Event) -> None:
        match event:
            case events.ResponseReceived(headers=headers):
                self.head = dict(headers)
            case events.TrailersReceived(headers=headers):
                self.trailers = dict(headers)
            case events.DataReceived(data=data):
                self.body += data
                if len(self.body) > self.body_limit:
                    self._fail(Reason.OVERSIZED, f"a body of more than {self.body_limit} bytes")
            case events.StreamEnded():
                self.is_whole = True
            case events.StreamReset(error_code=code):
                self._fail(Reason.RESET, f"the server reset the request: {_name(code)}")
            case events.ConnectionTerminated(error_code=code, additional_data=said):
                why = f": '{excerpt(said, 200)}'" if said else ""
                self._fail(Reason.CLOSED, f"the server ends it (GOAWAY): {_name(code)}{why}")
            case _:
                pass

    def _fail(self, reason: Reason, detail: str) -> None:
        self.failure = self.failure or Failed(reason, detail)


def _spares_us(frame: bytes) -> bool:
    """Tell whether a GOAWAY is for requests to come: no error, ours will be answered."""
    payload = frame[_HEADER:]
    last, code = int.from_bytes(payload[:4], "big") & 0x7FFFFFFF, payload[4:8]
    return code == bytes(4) and last >= _STREAM


def _name(code: ErrorCodes | int | None) -> str:
    return code.name if isinstance(code, ErrorCodes) else f"error {code}"
