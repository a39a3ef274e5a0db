"""From a parsed document to a Config, or to everything that is wrong with it.

Rule: all problems at once. Parts that are broken are left out and the rules look at the rest, so
that one missing comma does not hide ten wrong names.
"""

from typing import Any

from pydantic import ValidationError

from libra_schemas.canonical import digest
from libra_schemas.config import Config
from libra_schemas.errors import ConfigError
from libra_schemas.events import ConfigApplied
from libra_schemas.places import NOWHERE, Finding, Path, Places
from libra_schemas.problems import findings
from libra_schemas.revision import Revision
from libra_schemas.rules import cross_check, references

_DEPTHS = (64, 4, 2, 1)
"""Exactly what is wrong; a backend; a service, instance or sink; a section."""


def config_from(document: Any, places: Places = NOWHERE) -> Config:
    """Make the config that *document* (parsed YAML or JSON) is; raise ConfigError with all."""
    found: tuple[Finding, ...] = ()
    config: Config | None
    try:
        config = Config.model_validate(document)
    except ValidationError as error:
        found = findings(error, document)
        config = _sound_part(document, found)
    broken = frozenset(finding.path[:2] for finding in found)
    found += tuple(references(document))
    found += cross_check(config, broken) if config is not None else ()
    if config is None or found:
        raise ConfigError(tuple(places.problem(each) for each in _in_order(found, places)))
    return config


def config_of(applied: ConfigApplied) -> tuple[Config, Revision]:
    """Read the config and revision that an event brought; raise ConfigError."""
    if digest(applied.document) != applied.hash:
        raise ConfigError((NOWHERE.problem(Finding((), "the hash is not that of the document")),))
    return config_from(applied.document), Revision(applied.number, applied.hash)


def _in_order(found: tuple[Finding, ...], places: Places) -> list[Finding]:
    return sorted(dict.fromkeys(found), key=places.of)


def _sound_part(document: Any, found: tuple[Finding, ...]) -> Config | None:
    """Build a config of what *found* does not touch; None where too little is left.

    First only what is wrong goes; where the rest cannot stand without it, the backend or the
    whole entity goes as well.
    """
    sound = document
    for depth in _DEPTHS:
        sound = _without(sound, frozenset(each.path[:depth] for each in found), ())
        try:
            return Config.model_validate(_versioned(sound))
        except ValidationError as error:
            found = findings(error, sound)
    return None


def _versioned(document: Any) -> Any:
    return document | {"version": 1} if isinstance(document, dict) else document


def _without(value: Any, paths: frozenset[Path], here: Path) -> Any:
    """Copy *value* without what stands at *paths*."""
    if isinstance(value, dict):
        kept = ((key, each) for key, each in value.items() if (*here, key) not in paths)
        return {key: _without(each, paths, (*here, key)) for key, each in kept}
    if isinstance(value, list):
        entries = ((index, each) for index, each in enumerate(value))
        return [_without(e, paths, (*here, i)) for i, e in entries if (*here, i) not in paths]
    return value
