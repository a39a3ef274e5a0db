"""Config revisions: a number and the content's hash.

Rule: apply makes highest-known + 1; of two with one number the greater hash wins everywhere.
"""

import re
from dataclasses import dataclass
from typing import Any

from libra_schemas.canonical import digest

_TEXT = re.compile(r"([0-9]{1,18})-([0-9a-f]{64})")


@dataclass(frozen=True, slots=True, order=True)
class Revision:
    """Ordered by number, then by hash (lowercase hex SHA-256 of the canonical JSON)."""

    number: int
    hash: str

    def __str__(self) -> str:
        """Render as `configrev` stands in an envelope: `<number>-<hash>`."""
        return f"{self.number}-{self.hash}"

    @classmethod
    def parse(cls, text: str) -> "Revision":
        """Parse `<number>-<hash>`; raise ValueError."""
        match = _TEXT.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no config revision")
        return cls(int(match[1]), match[2])

    def next(self, document: dict[str, Any]) -> "Revision":
        """Make the revision after this one for *document*."""
        return Revision(self.number + 1, digest(document))


NONE = Revision(0, "")
"""Before the first config."""
