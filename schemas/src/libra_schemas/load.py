"""From a parsed document to a Config, or to everything that is wrong with it.

Rule: all problems at once. The rules look at what is sound of a broken document, so that one
missing comma does not hide ten wrong names.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from libra_schemas.canonical import digest
from libra_schemas.config import Config
from libra_schemas.errors import ConfigError
from libra_schemas.events import ConfigApplied
from libra_schemas.places import NOWHERE, STRANGER, Broken, Finding, Path, Places
from libra_schemas.problems import findings
from libra_schemas.revision import Revision
from libra_schemas.rules import cross_check, references
from libra_schemas.sound import SoundPart, sound_part


def config_from(document: Any, places: Places = NOWHERE) -> Config:
    """Make the config that *document* (parsed YAML or JSON) is; raise ConfigError with all."""
    wrong: tuple[Finding, ...] = ()
    try:
        part = SoundPart(Config.model_validate(document), frozenset())
    except ValidationError as error:
        wrong = findings(error, document)
        part = sound_part(document, (finding.path for finding in wrong))
    named = _apart(references(document), wrong)
    found = (*wrong, *named, *_by_rule(part, document, _strangers(wrong)))
    if part.config is None or found:
        raise ConfigError(tuple(places.problem(each) for each in _in_order(found, places)))
    return part.config


def config_of(applied: ConfigApplied) -> tuple[Config, Revision]:
    """Read the config and revision that an event brought; raise ConfigError."""
    if digest(applied.document) != applied.hash:
        raise ConfigError((NOWHERE.problem(Finding((), "the hash is not that of the document")),))
    return config_from(applied.document), Revision(applied.number, applied.hash)


def _apart(named: Iterable[Finding], wrong: tuple[Finding, ...]) -> Iterator[Finding]:
    """Give what is wrong with names, but for those in what is no list of names at all."""
    values = Broken.of(finding.path for finding in wrong if not finding.on_key)
    for finding in named:
        if not values.covers(finding.path[:-1] if finding.on_key else finding.path):
            yield finding


def _strangers(wrong: tuple[Finding, ...]) -> Iterator[Path]:
    return ((*finding.path[:-1], STRANGER) for finding in wrong if finding.is_stranger)


def _by_rule(part: SoundPart, document: Any, strangers: Iterator[Path]) -> Iterator[Finding]:
    """Give what the rules find that rests on sound parts only, by the document's own paths."""
    if part.config is None:
        return
    broken = Broken.of((*part.broken, *strangers))
    for finding in cross_check(part.config):
        read = tuple(part.as_written(path) for path in finding.read)
        placed = replace(finding, path=part.as_written(finding.path), read=read)
        if not placed.rests_on(broken):
            yield replace(placed, path=_spelled(placed.path, document))


def _spelled(path: Path, document: Any) -> Path:
    """Shorten *path* to a short form that *document* has there: `w1: 10.0.1.11:80`."""
    value = document
    for depth, part in enumerate(path):
        if isinstance(value, dict | list):
            entries = value if isinstance(value, dict) else dict(enumerate(value))
            if part not in entries:
                return path
            value = entries[part]
        else:
            return path[:depth]
    return path


def _in_order(found: tuple[Finding, ...], places: Places) -> list[Finding]:
    return sorted(dict.fromkeys(found), key=places.of)
