"""Notes: what this node last took over from which file."""

import pytest

from libra_console.notes import decode, encode
from libra_console.revisions import Note


def test_notes_survive_being_written_down() -> None:
    notes = {"/etc/a.yaml": Note("1" * 64, "3-x"), "/etc/b.yaml": Note("2" * 64, "4-y")}
    assert decode(encode(notes)) == notes


@pytest.mark.parametrize(
    "raw", [None, b"", b"nonsense", b"[1]", b'{"a": 1}', b'{"a": {"hash": "x"}}', b"7"]
)
def test_what_cannot_be_read_says_nothing(raw: bytes | None) -> None:
    assert decode(raw) == {}
