"""What may stand at a path of the config, written out: the least that a person would write.

Rule: read from the models and the examples that they carry, never from what somebody wrote.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from libra_schemas.config import Config
from libra_schemas.places import Path

Json = dict[str, Any]

_ALSO: Final = {"ServiceConfig": ("address",), "SinkConfig": ("webhook",)}
"""What a rule requires that the model leaves open."""
_SCALARS: Final[Json] = {"ipv4": "10.0.0.2", "boolean": True, "integer": 1, "string": "TEXT"}
_NAME: Final = "NAME"
_FILE: Final = "/etc/libra/FILE"
_UNITS: Final = "(ms|s|m|h|d)"
"""What the pattern of a duration ends with."""
_PLAIN: Final = re.compile(r"[A-Za-z0-9/.:@*+-]*[A-Za-z0-9/*]")
"""Text that means itself in flow YAML; that of our examples never reads as another kind."""


def form_of(path: Path) -> str:
    """Write `key: value` for the end of *path*, a value alone for an entry of a list.

    Flow YAML; "" where the models say nothing of *path*.
    """
    for schema in _at(_schema(), path):
        form = _flow(_value(schema, str(path[-1]) if path else ""))
        return f"{path[-1]}: {form}" if path and isinstance(path[-1], str) else form
    return ""


@cache
def _schema() -> Json:
    return Config.model_json_schema(by_alias=True)


def _at(schema: Json, path: Path) -> Iterator[Json]:
    for kind in _kinds(schema):
        if not path:
            yield kind
        else:
            for inner in _inner(kind, path[0]):
                yield from _at(inner, path[1:])


def _kinds(schema: Json) -> Iterator[Json]:
    """Give what a value may be, each with the name of its model as `title`."""
    if "$ref" in schema:
        yield from _kinds(_schema()["$defs"][schema["$ref"].rpartition("/")[2]])
    elif "anyOf" in schema:
        for each in schema["anyOf"]:
            yield from _kinds(each | {key: schema[key] for key in ("default",) if schema.get(key)})
    else:
        yield schema


def _inner(kind: Json, part: str | int) -> Iterator[Json]:
    if isinstance(part, int):
        yield from [kind["items"]] if isinstance(kind.get("items"), dict) else []
    elif part in kind.get("properties", {}):
        yield kind["properties"][part]
    else:
        yield from _by_name(kind).values()


def _by_name(kind: Json) -> Json:
    """Give what stands under a name, by the pattern of the name."""
    found: Json = kind.get("patternProperties", {})
    return found


def _value(schema: Json, key: str = "") -> Any:
    """Make up the value of a *key*, by the first of the kinds that it may be."""
    kind = next(_kinds(schema))
    told = _told(kind)
    if told is not None:
        return told
    match kind["type"]:
        case "object":
            return _mapping(kind)
        case "array":
            return [_value(each) for each in kind.get("prefixItems") or [kind["items"]]]
        case _ if _UNITS in kind.get("pattern", ""):
            return "1s"
        case "string" if key == "path" or key.endswith("_file"):
            return _FILE
        case scalar:
            return _SCALARS[str(kind.get("format", scalar))]


def _told(kind: Json) -> Any:
    """Give the value that a model names itself, None where it names none."""
    for several in ("examples", "enum"):
        if several in kind:
            return kind[several][0]
    named = (kind.get(key) for key in ("const", "default", "minimum"))
    return next((each for each in named if isinstance(each, str | int)), None)


def _mapping(kind: Json) -> Json:
    """Give the keys that must be, and where none must be the first that may."""
    for pattern, named in _by_name(kind).items():
        return {_NAME if re.match(pattern, _NAME) else _NAME.lower(): _value(named)}
    properties = kind["properties"]
    keys = (*_ALSO.get(kind["title"], ()), *kind.get("required", ())) or tuple(properties)[:1]
    return {key: _value(properties[key], key) for key in keys}


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_flow(each)}' for key, each in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    return value if isinstance(value, str) and _PLAIN.fullmatch(value) else json.dumps(value)
