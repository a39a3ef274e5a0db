"""A range of firewall marks as people write one: `0x4c000000/8`, the marks with these 8 first bits.

Rule: mark 0, which means no mark, is in no range.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

WIDTH = 32
"""Bits of a mark (linux/skbuff.h)."""
LONGEST = 24
"""Bits of the longest prefix: 256 marks are the fewest."""
_EXPECTED = "expected the first mark and how many bits all share, such as 0x4c000000/8"
_WRITTEN = re.compile(r"(0x[0-9A-Fa-f]{1,8}|[0-9]{1,10})/([0-9]{1,2})")


@dataclass(frozen=True, slots=True)
class MarkRange:
    """The marks whose first *bits* bits are those of *first*."""

    first: int
    bits: int

    @classmethod
    def parse(cls, value: Any) -> "MarkRange":
        """Parse `0x4c000000/8`; raise ValueError."""
        match = _WRITTEN.fullmatch(value.strip()) if isinstance(value, str) else None
        if match is None:
            raise ValueError(_EXPECTED)
        made = cls(int(match[1], 0), int(match[2]))
        if not 1 <= made.bits <= LONGEST:
            raise ValueError(f"a range of marks shares 1 to {LONGEST} bits, not {made.bits}")
        if made.first >= 1 << WIDTH or made.first % made.size:
            raise ValueError(f"0x{made.first:x} is not the first mark of a range of /{made.bits}")
        if not made.first:
            raise ValueError("mark 0 means no mark; begin the range elsewhere")
        return made

    @property
    def size(self) -> int:
        """How many marks there are."""
        return 1 << (WIDTH - self.bits)

    def __contains__(self, mark: int) -> bool:
        return self.first <= mark < self.first + self.size

    def __str__(self) -> str:
        """Render as people write it."""
        return f"0x{self.first:08x}/{self.bits}"


def parse_marks(value: Any) -> str:
    """Check a range of marks and give it back normalised; raise ValueError."""
    return str(MarkRange.parse(value))


Marks = Annotated[
    str,
    BeforeValidator(parse_marks),
    WithJsonSchema(
        {"type": "string", "pattern": f"^{_WRITTEN.pattern}$", "examples": ["0x4c000000/8"]}
    ),
]
"""A range of marks, as text."""
