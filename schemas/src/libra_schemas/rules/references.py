"""Names: what refers to a node or service that nobody wrote, and names that are reserved.

Rule: these look at the document as written, so that they hold even where the entity that refers
is broken otherwise, and a broken entity still counts as there.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from libra_schemas.config import RESERVED
from libra_schemas.places import Finding, Path
from libra_schemas.suggestions import nearest

_NAMED = ("nodes", "instances", "services", "notify")
_LISTED = 20
"""Names that a hint lists at most."""


def references(document: Any) -> Iterator[Finding]:
    """Check every name that *document* refers to, and every name that it gives."""
    yield from _reserved(document)
    yield from _of_instances(document)
    yield from _of_sinks(document)
    yield from _unknown(document, ("sync", "interface"), "nodes")


def _reserved(document: Any) -> Iterator[Finding]:
    """Keep `all` and `cluster` free: they are subject tokens of their own."""
    given: list[Path] = [(section, name) for section in _NAMED for name in _at(document, section)]
    for service in _at(document, "services"):
        path: Path = ("services", service, "backends")
        given += [(*path, name) for name in _at(document, *path)]
    for path in given:
        if path[-1] in RESERVED:
            yield Finding(path, f"the name {path[-1]!r} is reserved", "rename it", on_key=True)


def _of_instances(document: Any) -> Iterator[Finding]:
    for name in _at(document, "instances"):
        path: Path = ("instances", name)
        yield from _unknown(document, (*path, "priority"), "nodes")
        yield from _unknown(document, (*path, "interface"), "nodes")
        yield from _unknown(document, (*path, "unicast"), "nodes")
        yield from _unknown(document, (*path, "track", "services"), "services")


def _of_sinks(document: Any) -> Iterator[Finding]:
    for name in _at(document, "notify"):
        yield from _unknown(document, ("notify", name, "nodes"), "nodes")
        yield from _unknown(document, ("notify", name, "services"), "services")


def _unknown(document: Any, path: Path, section: str) -> Iterator[Finding]:
    """Yield a finding for each name in the mapping or list at *path* that *section* lacks.

    None where *section* is no mapping, or has none of the nodes that it must have: nobody knows
    what they are called.
    """
    known = document.get(section, {}) if isinstance(document, dict) else None
    if not isinstance(known, dict) or not (known or section == "services"):
        return
    for part, name in _at(document, *path).items():
        if isinstance(name, str) and name not in known:
            hint = nearest(name, known) or _listed(known)
            message = f"no {section[:-1]} is called {name!r}"
            yield Finding((*path, part), message, hint, on_key=isinstance(part, str))


def _listed(known: Iterable[str]) -> str:
    first, more = list(known)[:_LISTED], list(known)[_LISTED:]
    rest = f" and {len(more)} more" if more else ""
    return f"known: {', '.join(first) or 'none'}{rest}"


def _at(document: Any, *path: str | int) -> Mapping[Any, Any]:
    """Give the names at *path* by where they stand: a mapping's keys, a list's entries."""
    value = document
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, dict):
        return {key: key for key in value}
    return dict(enumerate(value)) if isinstance(value, list) else {}
