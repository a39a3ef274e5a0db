"""HTTP/2 frames of gRPC's health protocol in words (RFC 9113), by hyperframe and hpack.

The one rule: header blocks are read in their order, each once, or the following mean nothing.
Importing the libraries takes long: import this module only where it is needed.
"""

from __future__ import annotations

from typing import Final

from h2.errors import ErrorCodes
from h2.settings import SettingCodes
from hpack import Decoder
from hpack.exceptions import HPACKError
from hyperframe import frame as frames
from hyperframe.exceptions import HyperframeError

from libra_health.decoded.flow import Show, Take, Unreadable, Way
from libra_health.protocols import grpc_message as grpc
from libra_health.protocols.http2 import FRAME_LIMIT

_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_HEADER: Final = 9
_BLOCK_LIMIT: Final = 4 * FRAME_LIMIT
_BEFORE_NAME: Final = 7
_NAMES: Final = {
    frames.DataFrame: "DATA", frames.HeadersFrame: "HEADERS", frames.PriorityFrame: "PRIORITY",
    frames.RstStreamFrame: "RST_STREAM", frames.SettingsFrame: "SETTINGS",
    frames.PushPromiseFrame: "PUSH_PROMISE", frames.PingFrame: "PING",
    frames.GoAwayFrame: "GOAWAY", frames.WindowUpdateFrame: "WINDOW_UPDATE",
    frames.ContinuationFrame: "CONTINUATION", frames.AltSvcFrame: "ALTSVC",
}  # fmt: skip
_STUMBLES: Final = (
    HPACKError, HyperframeError, ValueError, LookupError, ArithmeticError,
)  # fmt: skip
"""What the libraries raise on frames that are none."""


def taking(way: Way) -> Take:
    """Read what goes this way."""
    return Frames(is_sent=way.is_sent)


class Frames:
    """Reads frame after frame. It is mutable, as the table of its header fields is (RFC 7541)."""

    __slots__ = ("_block", "_decoder", "_is_begun", "_is_sent")

    def __init__(self, *, is_sent: bool) -> None:
        self._is_sent = is_sent
        self._is_begun = False
        self._block = b""
        self._decoder = Decoder(max_header_list_size=FRAME_LIMIT)

    def __call__(self, data: bytes, show: Show) -> tuple[str, int] | None:
        """Put the first frame in words; the first of a server must be its settings."""
        if self._is_sent and not self._is_begun:
            return self._preface(data)
        if len(data) < _HEADER:
            return None
        try:
            frame, length = frames.Frame.parse_frame_header(memoryview(data[:_HEADER]))
            if length > FRAME_LIMIT:
                raise Unreadable
            if not self._is_begun and not isinstance(frame, frames.SettingsFrame):
                raise Unreadable
            end = _HEADER + length
            if len(data) < end:
                return None
            frame.parse_body(memoryview(data[_HEADER:end]))
            self._is_begun = True
            return self._worded(frame, show), end
        except _STUMBLES as wrong:
            raise Unreadable from wrong

    def _preface(self, data: bytes) -> tuple[str, int] | None:
        if not data.startswith(_PREFACE):
            raise Unreadable
        self._is_begun = True
        return "HTTP/2 preface", len(_PREFACE)

    def _worded(self, frame: frames.Frame, show: Show) -> str:
        name = _NAMES.get(type(frame), "unknown frame")
        where = f" stream {frame.stream_id}" if frame.stream_id else ""
        ends = ", the last" if "END_STREAM" in frame.flags else ""
        said = self._said(frame, show)
        return f"{name}{where}{ends}{': ' if said else ''}{said}"

    def _said(self, frame: frames.Frame, show: Show) -> str:
        match frame:
            case frames.HeadersFrame() | frames.PushPromiseFrame() | frames.ContinuationFrame():
                return self._fields(frame, show)
            case frames.DataFrame():
                return self._message(frame.data, show)
            case frames.SettingsFrame():
                return "ack" if "ACK" in frame.flags else _settings(frame.settings)
            case frames.PingFrame():
                return f"{'ack ' if 'ACK' in frame.flags else ''}'{show(frame.opaque_data)}'"
            case frames.RstStreamFrame():
                return _error(frame.error_code)
            case frames.GoAwayFrame():
                why = f" '{show(frame.additional_data)}'" if frame.additional_data else ""
                return f"{_error(frame.error_code)}, last stream {frame.last_stream_id}{why}"
            case frames.WindowUpdateFrame():
                return f"+{frame.window_increment}"
            case _:
                return ""

    def _fields(
        self,
        frame: frames.HeadersFrame | frames.PushPromiseFrame | frames.ContinuationFrame,
        show: Show,
    ) -> str:
        """Show header fields once their block is whole (RFC 9113 section 4.3)."""
        self._block += frame.data
        if len(self._block) > _BLOCK_LIMIT:
            raise Unreadable
        if "END_HEADERS" not in frame.flags:
            return "to be continued"
        block, self._block = self._block, b""
        fields = self._decoder.decode(block, raw=True)
        return ", ".join(f"{show(name)} {show(value)}".rstrip() for name, value, *_ in fields)

    def _message(self, data: bytes, show: Show) -> str:
        """Tell a message of the health protocol; what is none is shown."""
        try:
            return _asked(data, show) if self._is_sent else grpc.serving_name(grpc.status_of(data))
        except grpc.MalformedAnswer:
            return f"'{show(data)}'" if data else ""


def _asked(data: bytes, show: Show) -> str:
    """Tell whom a request asks about: a prefix, a tag and one octet of length before the name."""
    service = data[_BEFORE_NAME:]
    if grpc.request(service.decode("ascii", "replace")) != data:
        return f"'{show(data)}'" if data else ""
    return f"is {show(service)} serving?" if service else "is the server serving?"


def _settings(settings: dict[int, int]) -> str:
    return ", ".join(f"{_setting(code)} {value}" for code, value in settings.items())


def _setting(code: int) -> str:
    try:
        return SettingCodes(code).name
    except ValueError:
        return f"setting {code}"


def _error(code: int) -> str:
    try:
        return ErrorCodes(code).name
    except ValueError:
        return f"error {code}"
