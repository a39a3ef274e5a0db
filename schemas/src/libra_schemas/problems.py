"""What pydantic found wrong with a config, in the words of the person who wrote it.

Rule: one mistake is one finding; a value that could be several things (a duration or true) is
told once what it may be, not once per possibility.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from libra_schemas.places import Finding, Path
from libra_schemas.suggestions import advise
from libra_schemas.wording import as_in, expected, say, say_of_key

_IMPLIED = frozenset({"[key]", "address", 0})
"""Parts of a place that a short form leaves out: `w1: 10.0.1.11:80`, `status: 200`."""


@dataclass(frozen=True, slots=True)
class _Located:
    """One error: its path in the document and the unions (path, branch) pydantic tried there."""

    path: Path
    unions: tuple[tuple[Path, str], ...]
    error: ErrorDetails


def findings(error: ValidationError, document: Any) -> tuple[Finding, ...]:
    """Turn *error*, raised for *document*, into findings, in the order of the models' fields."""
    errors = error.errors(include_url=False)
    located = [_locate(each, document) for each in errors if not _follows(each)]
    return tuple(dict.fromkeys(_judge(located, 0)))


def _follows(error: ErrorDetails) -> bool:
    """Tell whether an error only follows from others: pydantic counts the valid entries."""
    return error["type"] == "too_short" and bool(error["input"])


def _locate(error: ErrorDetails, document: Any) -> _Located:
    unions: list[tuple[Path, str]] = []
    path: Path = ()
    value = document
    loc = error["loc"]
    names_a_key = error["type"] in {"missing", "extra_forbidden"}
    for index, part in enumerate(loc):
        if _is_in(part, value):
            path, value = (*path, part), value[part]
        elif part == value or (names_a_key and index == len(loc) - 1):  # a bare word: check: exec
            path = (*path, part)
        elif part not in _IMPLIED:
            unions.append((path, str(part)))
    return _Located(path, tuple(unions), error)


def _is_in(part: str | int, value: Any) -> bool:
    if isinstance(value, dict):
        return part in value
    return isinstance(value, list) and isinstance(part, int) and part < len(value)


def _judge(errors: list[_Located], depth: int) -> Iterator[Finding]:
    """Judge errors by themselves, those of one union at *depth* together."""

    def union_of(item: _Located) -> Path | None:
        return item.unions[depth][0] if len(item.unions) > depth else None

    for union, group in groupby(errors, key=union_of):
        if union is None:
            yield from (_finding(item) for item in group)
        else:
            yield from _judge_union(union, list(group), depth)


def _judge_union(union: Path, group: list[_Located], depth: int) -> Iterator[Finding]:
    """Follow the branch that was meant; where none was, say once what may stand there."""
    branches = [list(run) for _, run in groupby(group, key=lambda item: item.unions[depth][1])]
    named = next((item for item in group if _is_host_name(union, item)), None)
    meant = [run for run in branches if not any(_is_another_kind(union, item) for item in run)]
    if meant:
        yield from _judge(meant[0], depth + 1)
    elif named is not None:
        yield _finding(named)
    else:
        yield Finding(union, f"expected {expected(union)}")


def _is_another_kind(union: Path, item: _Located) -> bool:
    """Tell whether an error says of the whole value that it is none of this branch's."""
    return item.path == union


def _is_host_name(union: Path, item: _Located) -> bool:
    """Tell whether a name stands where an address may."""
    return item.path == union and item.error["type"] == "host_name"


def _finding(item: _Located) -> Finding:
    if item.error["type"] == "extra_forbidden":
        message, hint = advise(item.path)
        return Finding(item.path, message, hint, on_key=True, is_stranger=True)
    if item.error["type"] == "missing":
        return Finding(item.path, "is missing", as_in(item.path), on_key=True)
    if item.error["loc"][-1:] == ("[key]",):
        return Finding(item.path, say_of_key(item.error), on_key=True)
    return Finding(item.path, *say(item.path, item.error))
