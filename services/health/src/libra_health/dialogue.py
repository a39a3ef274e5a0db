"""A run of a check in words: what was asked, what came, one line each.

The one rule: what a backend sent is shown escaped and in bounds, a secret not at all.
"""

from __future__ import annotations

import errno
import os
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, TypeAlias, assert_never

from libra_health.decoded.flow import Piece
from libra_health.decoded.talk import SILENCE, Talk
from libra_health.errands import (
    Execute,
    Executed,
    FileRead,
    FileUnread,
    ReadFile,
    Unexecuted,
    how_ended,
)
from libra_health.handshake import days
from libra_health.outcome import DETAIL_LIMIT, excerpt
from libra_health.passwords import hidden
from libra_health.wire import (
    Connect,
    Connected,
    DeadlineReached,
    Effect,
    Ended,
    Input,
    OpenPing,
    OpenUdp,
    PingOpened,
    Receive,
    Received,
    Refused,
    Search,
    Searched,
    Secured,
    Send,
    StartTls,
    Target,
    Tls,
    UdpOpened,
    Unsecured,
)
from libra_schemas.text import one_line

MOST: Final = 16384
"""Bytes of a dialogue that are shown, both ways together, lines counted as `PER_LINE` more."""
PER_LINE: Final = 50
LINE: Final = 400
PART: Final = 200
"""Characters of what stands foreign within a line."""
"""Characters of one line, as shown."""
HIDDEN: Final = "(secret)"
_OPENING: Final = {Connect: "connect", OpenUdp: "UDP to", OpenPing: "ping"}
_PHRASES: Final[dict[type, str]] = {
    Connected: "connected",
    UdpOpened: "UDP socket open",
    Ended: "closed by the backend",
    DeadlineReached: "the time is over",
}
_FOUND: Final = {True: "found", False: "not found", None: "not decided in time"}

Lines: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dialogue:
    """What of a run was told. `secrets`: sent and not shown; `room`: bytes still to be shown.

    `talk`: its channel, on which messages are put in words where they are no text.
    """

    secrets: tuple[bytes, ...] = ()
    room: int = MOST
    talk: Talk = SILENCE

    def show(self, data: bytes) -> str:
        """Show a part of a message."""
        return excerpt(self.without_secrets(data), PART)

    def without_secrets(self, data: bytes) -> bytes:
        """Hide what was sent in secret."""
        return hidden(data, *self.secrets, mark=HIDDEN.encode())


def dialogue_of(kind: str) -> Dialogue:
    """Begin with a check of this config word."""
    return Dialogue(talk=Talk(kind))


def tell(dialogue: Dialogue, event: Effect | Input) -> tuple[Dialogue, Lines]:
    """Put one effect or input in words; none where it says nothing of interest."""
    match event:
        case Send(data, secrets):
            known = {secret for secret in (*dialogue.secrets, *secrets) if secret}
            longest_first = tuple(sorted(known, key=lambda each: (-len(each), each)))
            knowing = replace(dialogue, secrets=longest_first)
            talk, pieces = dialogue.talk.say(data, knowing.show)
            return _speak(replace(knowing, talk=talk), pieces, "> ")
        case Received(data):
            talk, pieces = dialogue.talk.hear(data, dialogue.show)
            told = pieces if data else ("nothing",)
            return _speak(replace(dialogue, talk=talk), told, "< ")
        case Executed(status, output):
            heard, lines = _speak(dialogue, (output,), "| ")
            return heard, (*lines, f"the program ended: {how_ended(status)}")
        case _:
            talk, pieces = dialogue.talk.after(event)
            following, lines = _speak(replace(dialogue, talk=talk), pieces, "< ")
            line = _line(event)
            return following, (*lines, one_line(line, LINE)) if line else lines


def shown(dialogue: Dialogue, detail: str) -> str:
    """Show the detail of an outcome (what a backend sent is escaped in it), no secret in it."""
    for secret in dialogue.secrets:
        detail = detail.replace(excerpt(secret), HIDDEN)
    return one_line(detail, DETAIL_LIMIT)


def _speak(dialogue: Dialogue, pieces: Iterable[Piece], mark: str) -> tuple[Dialogue, Lines]:
    """Show messages in words, and what is none line by line, as far as there is room for them."""
    lines: list[str] = []
    room = dialogue.room
    for text, size in _lines(dialogue, pieces):
        if room <= 0:
            lines += [f"{mark}(and more)"] if dialogue.room > 0 else []
            break
        lines.append(mark + text)
        room -= size + PER_LINE
    return replace(dialogue, room=room), tuple(lines)


def _lines(dialogue: Dialogue, pieces: Iterable[Piece]) -> Iterator[tuple[str, int]]:
    """Give lines as they are shown, and how many bytes each counts."""
    for piece in pieces:
        if isinstance(piece, str):
            yield piece if len(piece) <= LINE else piece[: LINE - 3] + "...", len(piece)
        else:
            for line in _split(dialogue.without_secrets(piece)):
                yield excerpt(line.rstrip(b"\r"), LINE), len(line)


def _split(data: bytes) -> list[bytes]:
    """Split text into its lines; what is none is one line however long."""
    lines = data.split(b"\n")
    return lines[:-1] if lines[-1] == b"" else lines


def _line(event: Effect | Input) -> str:
    return _asked(event) if isinstance(event, Effect) else _heard(event)


def _asked(effect: Effect) -> str:
    match effect:
        case Connect(target) | OpenUdp(target) | OpenPing(target, _):
            return f"{_OPENING[type(effect)]} {_place(target)}"
        case StartTls(tls):
            return _handshake(tls)
        case Search(pattern, data):
            return f"look for /{pattern}/ in {len(data)} bytes"
        case ReadFile(path):
            return f"read {path}"
        case Execute(arguments, user=user):
            return f"run {shlex.join(arguments)}" + (f" as {user}" if user else "")
        case Send() | Receive():
            return ""
        case _:
            assert_never(effect)


def _heard(event: Input) -> str:
    match event:
        case Refused(number):
            return f"{errno.errorcode.get(number, str(number))}: {os.strerror(number)}"
        case Secured():
            return _secured(event)
        case Unsecured(_, detail) | Unexecuted(detail):
            return detail
        case Searched(found):
            return _FOUND[found]
        case FileRead(data, age):
            return f"{len(data)} bytes read, written {timedelta(seconds=int(age))} ago"
        case FileUnread(number):
            return f"not read: {os.strerror(number)}"
        case PingOpened(raw):
            return "raw echo socket open" if raw else "echo socket open"
        case _:
            return _PHRASES.get(type(event), "")


def _place(target: Target) -> str:
    """Write where a check goes, and where it leaves from."""
    origin = target.origin
    parts = [
        str(target),
        f"from {origin.address}" if origin.address else "",
        f"by {origin.interface}" if origin.interface else "",
        f"with mark {origin.fwmark:#x}" if origin.fwmark else "",
    ]
    return " ".join(part for part in parts if part)


def _handshake(tls: Tls) -> str:
    name = f" for {tls.name}" if tls.name else ""
    trust = f"held against {tls.ca or 'what the system trusts'}" if tls.verify else "not verified"
    return f"TLS handshake{name}, certificate {trust}"


def _secured(event: Secured) -> str:
    version = event.version.replace("v", " ", 1)
    left = event.left
    held = "not verified" if left is None else f"valid for {days(left)}"
    return f"{version}, certificate {held}" + (f", {event.alpn}" if event.alpn else "")
