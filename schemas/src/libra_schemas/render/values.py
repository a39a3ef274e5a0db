"""What may stand at a key of the config, in the words of who writes it.

Rule: said of the JSON Schema alone, so the page and the editor say the same.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter

from libra_schemas.config.fields import Duration
from libra_schemas.model import Address
from libra_schemas.text import spelled

Json = dict[str, Any]

DEFINITION = "#/$defs/"
_WHOLE = (
    (TypeAdapter(Duration).json_schema()["anyOf"], "duration"),
    (TypeAdapter(Address).json_schema()["anyOf"], "address"),
)
"""Alternatives that are one thing to who writes."""


def values(schema: Json, links: Mapping[str, str]) -> str:
    """Say what *schema* takes; *links* say what a model is called."""
    alternatives = [each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]
    words: list[str] = []
    for parts, word in _WHOLE:
        if all(part in alternatives for part in parts):
            alternatives = [each for each in alternatives if each not in parts]
            words.append(word)
    plain = [_word(each, links) for each in alternatives if not _inner(each)]
    single = ", ".join([*plain, *words])
    nested = [_nested(each, single, links) for each in alternatives if _inner(each)]
    return " or ".join([single, *nested] if single else nested)


def _inner(schema: Json) -> Json | None:
    """Give what a list or a mapping holds."""
    held: Json | None = schema.get("items")
    return held or next(iter(schema.get("patternProperties", {}).values()), None)


def _nested(schema: Json, single: str, links: Mapping[str, str]) -> str:
    held = values(_inner(schema) or {}, links)
    is_same = held == single
    if "items" in schema:
        return "a list of them" if is_same else f"list, each {held}"
    return "one per name" if is_same else f"by name: {held}"


def _word(schema: Json, links: Mapping[str, str]) -> str:
    match schema:
        case {"$ref": str(reference)}:
            return links.get(reference.removeprefix(DEFINITION), "the keys below")
        case {"const": value}:
            return f"`{value}`"
        case {"enum": choices}:
            return _listed(choices)
        case {"examples": examples}:
            return f"as {_listed(examples)}"
        case {"prefixItems": items}:
            return f"[{', '.join(_word(each, links) for each in items)}]"
        case {"type": "boolean"}:
            return "`true`, `false`"
        case {"type": "integer"}:
            return f"number{_bounds(schema)}"
        case _:
            return "text"


def _listed(choices: Sequence[Any]) -> str:
    return ", ".join(f"`{choice}`" for choice in dict.fromkeys(map(str, choices)))


def _bounds(schema: Json) -> str:
    match schema:
        case {"minimum": least, "maximum": most}:
            return f" {least} to {most}"
        case {"minimum": least}:
            return f" from {least}"
        case _:
            return ""


def default(schema: Json) -> str:
    """Say what holds where a key is left out."""
    value = schema.get("default")
    if "$ref" in schema:
        return "its keys' defaults"
    if value is None or value in ([], {}):
        return "none"
    if isinstance(value, float) or values(schema, {}) == "duration":
        return f"`{spelled(value)}`"
    if isinstance(value, list):
        return f"`[{', '.join(map(str, value))}]`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
