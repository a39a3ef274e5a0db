"""What of a broken config is sound: the rules look at it, so that one slip hides no other.

Rule: only what is wrong goes. What a part cannot be without is stood in for; of what rests on a
part that went or was stood in for nothing is ever said (`Finding.rests_on`).
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from pydantic import ValidationError

from libra_schemas.config import Config
from libra_schemas.places import Broken, Path
from libra_schemas.problems import findings

STAND_INS: dict[str, Any] = {
    "version": 1,
    "nodes": {"a": {"address": "192.0.2.1"}},
    "address": "192.0.2.1",
    "interface": "eth0",
    "vrid": 1,
    "priority": 100,
    "addresses": ["192.0.2.1/32"],
    "match": ["*.*"],
    "url_file": "/dev/null",
    "key_file": "/dev/null",
    "to": ["a@example.com"],
    "from": "a@example.com",
    "server": "mail.example.com",
    "command": ["/bin/true"],
    "name": "eth0",
    "path": "/dev/null",
    "most": 0,
}
"""A value for every field that some part of a config cannot be without."""


_Shifts = Mapping[Path, Sequence[int]]
"""Per list that lost entries: for each of those, in order, how many stay before it."""


@dataclass(frozen=True, slots=True)
class SoundPart:
    """The config that is left, and the places that went or were stood in for."""

    config: Config | None
    broken: frozenset[Path]
    shifts: _Shifts = field(default_factory=dict)

    def as_written(self, path: Path) -> Path:
        """Tell where in the document stands what is at *path* of the config."""
        return _as_written(path, self.shifts)


@dataclass(slots=True)
class _Repair:
    """What becomes of the places that are broken, in the document's own paths."""

    gone: set[Path] = field(default_factory=set)
    filled: set[Path] = field(default_factory=set)
    due: dict[Path, list[str]] = field(default_factory=dict)

    def take(self, paths: Iterable[Path]) -> bool:
        """Stand in for what is broken for the first time, drop it the second; tell progress.

        What is broken still, although it went, was never there (a short form was spelled out):
        then what holds it goes.
        """
        before = len(self.gone) + len(self.filled)
        for path in paths:
            if path[-1] in STAND_INS and path not in self.filled:
                self._fill(path)
            else:
                held = (path[:end] for end in range(len(path), 0, -1))
                self.gone.update(islice((each for each in held if each not in self.gone), 1))
        return len(self.gone) + len(self.filled) > before

    def _fill(self, path: Path) -> None:
        self.filled.add(path)
        self.due.setdefault(path[:-1], []).append(str(path[-1]))

    def apply(self, value: Any) -> Any:
        """Copy what of *value*, the whole document, holds something broken, mended."""
        return self._mended(value, (), Broken.of(self.gone | self.filled).above)

    def _mended(self, value: Any, here: Path, above: frozenset[Path]) -> Any:
        if here not in above:
            return value
        if isinstance(value, dict):
            kept = {key: each for key, each in value.items() if (*here, key) not in self.gone}
            mended = {key: self._mended(each, (*here, key), above) for key, each in kept.items()}
            return mended | self._stand_ins(here)
        if isinstance(value, list):
            numbered = ((each, (*here, index)) for index, each in enumerate(value))
            return [self._mended(e, path, above) for e, path in numbered if path not in self.gone]
        return value

    def _stand_ins(self, here: Path) -> dict[str, Any]:
        due = self.due.get(here, ())
        return {key: STAND_INS[key] for key in due if (*here, key) not in self.gone}


def sound_part(document: Any, broken: Iterable[Path]) -> SoundPart:
    """Build a config of what *broken* does not touch; without one where that cannot be."""
    repair = _Repair()
    found = frozenset(broken)
    while isinstance(document, dict) and () not in found and repair.take(found):
        sound = repair.apply(document)
        try:
            broken = frozenset(repair.gone | repair.filled)
            return SoundPart(Config.model_validate(sound), broken, _shifts(repair.gone))
        except ValidationError as error:
            places = (finding.path for finding in findings(error, sound))
            shifts = _shifts(repair.gone)
            found = frozenset(_as_written(path, shifts) for path in places)
    return SoundPart(None, frozenset(broken))


def _shifts(gone: Iterable[Path]) -> _Shifts:
    """Note for each list how many entries are left before each that went."""
    lists: dict[Path, list[int]] = {}
    for path in gone:
        if path and isinstance(path[-1], int):
            lists.setdefault(path[:-1], []).append(path[-1])
    return {
        path: [index - before for before, index in enumerate(sorted(indices))]
        for path, indices in lists.items()
    }


def _as_written(path: Path, shifts: _Shifts) -> Path:
    """Count the entries of lists that went back in."""
    written: Path = ()
    for part in path:
        went = bisect_right(shifts.get(written, ()), part) if isinstance(part, int) else 0
        written = (*written, part + went if isinstance(part, int) else part)
    return written
