"""Where things stand in a config file, and what is wrong with them there.

Rule: a path is the tuple of keys and list indices from the document's root; lines and columns
count from 1. What a file does not say stands where its nearest ancestor does.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from libra_schemas.errors import Problem

Path = tuple[str | int, ...]
Position = tuple[int, int]

UNKNOWN: Position = (0, 0)


STRANGER = "?"
"""In the place of a key: any that nobody knows; no name is spelled so."""


@dataclass(frozen=True, slots=True)
class Broken:
    """Places of which nothing is known: they, and all below them."""

    places: frozenset[Path]
    above: frozenset[Path]

    @classmethod
    def of(cls, places: Iterable[Path]) -> "Broken":
        """Note *places*, and what holds them."""
        whole = frozenset(places)
        return cls(whole, frozenset(path[:end] for path in whole for end in range(len(path))))

    def covers(self, path: Path) -> bool:
        """Tell whether *path* is broken, or lies in what is."""
        return any(path[:end] in self.places for end in range(len(path) + 1))

    def touches(self, path: Path) -> bool:
        """Tell whether *path*, or anything in it, is broken."""
        return path in self.above or self.covers(path)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong, by path; *on_key* where the key itself is what is wrong.

    *read* names what else was looked at: where that is broken itself, nothing follows from it.
    *is_stranger*: the key is one that nobody knows, perhaps another one mistyped.
    """

    path: Path
    message: str
    hint: str = ""
    on_key: bool = False
    read: tuple[Path, ...] = field(default=(), compare=False)
    is_stranger: bool = field(default=False, compare=False)

    def rests_on(self, broken: Broken) -> bool:
        """Tell whether the place itself, or anything that was read, is *broken*."""
        return broken.covers(self.path) or any(map(broken.touches, self.read))


@dataclass(frozen=True, slots=True)
class Places:
    """The positions of a parsed file's keys and values; empty for a document without a file."""

    file: str = ""
    keys: Mapping[Path, Position] = field(default_factory=dict)
    values: Mapping[Path, Position] = field(default_factory=dict)

    def of(self, finding: Finding) -> Position:
        """Tell line and column of *finding*, (0, 0) when unknown."""
        first = self.keys if finding.on_key else self.values
        if finding.path in first:
            return first[finding.path]
        return self._nearest(finding.path)

    def _nearest(self, path: Path) -> Position:
        for length in range(len(path), 0, -1):
            if path[:length] in self.keys:
                return self.keys[path[:length]]
            if path[:length] in self.values:
                return self.values[path[:length]]
        return self.values.get((), UNKNOWN)

    def problem(self, finding: Finding) -> Problem:
        """Place *finding* in the file."""
        line, column = self.of(finding)
        return Problem(dotted(finding.path), finding.message, finding.hint, self.file, line, column)


NOWHERE = Places()


def dotted(path: Path) -> str:
    """Spell a path as people write it: `services.web.backends.w1`, `notify.ops.match[0]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
