"""Weight as programs and files of the operator's write it: a whole number of points."""

from __future__ import annotations

import re
from typing import Final

MOST: Final = 65535
"""What a backend's weight is at most in a config."""

_NUMBER: Final = re.compile(rb"[ \t\r\n]*0*([0-9]{1,5})[ \t\r\n]*")


def points(written: bytes) -> int | None:
    """Read a number of 0 to 65535 that stands alone; None where it is something else."""
    match = _NUMBER.fullmatch(written)
    number = int(match[1]) if match else MOST + 1
    return number if number <= MOST else None
