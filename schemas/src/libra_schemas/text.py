"""Text that others wrote (backends, peers, the kernel), made safe to store and to show.

Rule: at most 512 bytes of it are kept; control characters and bytes that are no UTF-8 become
escapes, so that a terminal, a log and JSON show what came and obey nothing of it.
"""

LIMIT = 512
"""Bytes kept, before escaping."""

LINE_LIMIT = 300
"""Characters of a line; subject lines and terminals cut longer ones anyway."""

_LAST_BYTE = 0xFF
_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
_LAST_SHORT = 0xFFFF
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\"}


def evidence(raw: bytes | str, limit: int = LIMIT) -> str:
    """Cut *raw* to *limit* bytes and escape it to one printable line.

    A character cut in half is dropped whole. The result fits `EvidenceText` for the default
    limit: an escape takes at most four characters per byte.
    """
    octets = raw if isinstance(raw, bytes) else raw.encode("utf-8", "backslashreplace")
    kept = octets[:limit]
    if len(octets) > limit:
        kept = _whole_characters(kept)
    return "".join(map(_shown, kept.decode("utf-8", "surrogateescape")))


def one_line(words: str, limit: int = LINE_LIMIT) -> str:
    """Put foreign words on one line: control characters become spaces, length is bounded."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in words).split())
    return plain if len(plain) <= limit else plain[: limit - 1] + "…"


def spelled(seconds: float) -> str:
    """Spell a duration as people write it in the config: `500ms`, `1s`, `5m`, `36h`."""
    if not seconds:
        return "0"
    whole = ((f"{seconds / size:g}{unit}", seconds % size) for unit, size in _UNITS)
    return next((text for text, rest in whole if not rest), f"{seconds * 1000:g}ms")


def _whole_characters(octets: bytes) -> bytes:
    """Drop the start of a UTF-8 character that a cut left without its end (RFC 3629 §3)."""
    for back in range(1, min(4, len(octets) + 1)):
        lead = octets[-back]
        if lead & 0xC0 == 0x80:  # noqa: PLR2004 - RFC 3629: 10xxxxxx continues
            continue
        length = 4 if lead >= 0xF0 else 3 if lead >= 0xE0 else 2 if lead >= 0xC0 else 1  # noqa: PLR2004 - likewise
        return octets[:-back] if length > back else octets
    return octets


def _shown(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # noqa: PLR2004 - surrogateescape: byte NN is U+DCNN
        return f"\\x{code - 0xDC00:02x}"
    if code <= _LAST_BYTE:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= _LAST_SHORT else f"\\U{code:08x}"
