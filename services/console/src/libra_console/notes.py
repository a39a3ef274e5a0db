"""What this node last took over from which file, as bytes and back.

Rule: a file that cannot be read says nothing, so nothing is taken over unasked because of it.
"""

import json
from collections.abc import Mapping

from libra_console.revisions import Note

Notes = Mapping[str, Note]
"""Absolute path of the file -> note."""


def encode(notes: Notes) -> bytes:
    """Write *notes* as JSON."""
    return json.dumps(
        {file: {"hash": note.hash, "revision": note.revision} for file, note in notes.items()},
        sort_keys=True,
    ).encode()


def decode(raw: bytes | None) -> dict[str, Note]:
    """Read what `encode` wrote; {} for anything else."""
    try:
        read = json.loads(raw or b"{}")
        return {str(f): Note(str(n["hash"]), str(n["revision"])) for f, n in read.items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}
