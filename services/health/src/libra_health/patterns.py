"""Patterns of checks: compiled once, and which of them may take long.

The one rule: only a pattern whose time cannot explode is matched in the driver's thread.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from libra_schemas.patterns import pattern_of

_COSTLY: Final = re.compile(r"[*+?{]|\\[1-9]|\|.*\|", re.DOTALL)
"""A repeat, a back reference, two alternatives in a row: what backtracking can multiply."""


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> re.Pattern[bytes]:
    """Compile a pattern from the config once; it is matched against bytes. Raises ValueError."""
    return pattern_of(pattern)


@lru_cache(maxsize=1024)
def is_costly(pattern: str) -> bool:
    """Whether a backend could choose an answer on which the pattern takes for ever."""
    return _COSTLY.search(pattern) is not None
