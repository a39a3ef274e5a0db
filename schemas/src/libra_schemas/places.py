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


def starts(path: Path, first: Path) -> bool:
    """Tell whether *path* is *first* or lies below it."""
    return path[: len(first)] == first


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong, by path; *on_key* where the key itself is what is wrong.

    *read* names what else was looked at: where that is broken itself, nothing follows from it.
    """

    path: Path
    message: str
    hint: str = ""
    on_key: bool = False
    read: tuple[Path, ...] = field(default=(), compare=False)

    def rests_on(self, broken: Iterable[Path]) -> bool:
        """Tell whether the place itself, or anything that was read, is among *broken*."""
        return any(
            starts(self.path, each)
            or any(starts(path, each) or starts(each, path) for path in self.read)
            for each in broken
        )


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
