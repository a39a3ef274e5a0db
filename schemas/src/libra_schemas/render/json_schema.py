"""JSON Schema (2020-12) of every event type and of the config file.

Rule: the schema says what is stored and what may be written, never more: readers ignore unknown
fields, so events are open; an unknown key of the config is an error, so it is closed.
"""

from typing import Any

from libra_schemas.config import Config
from libra_schemas.config.check import KINDS
from libra_schemas.envelope import event_model, schema_name
from libra_schemas.events import MODELS
from libra_schemas.render.descriptions import described

Json = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_ALWAYS = ("specversion", "datacontenttype")
"""Envelope attributes with a default that stand in every event all the same."""


def event_schema(event_type: str) -> Json:
    """Describe one event as stored: envelope and data."""
    schema = narrowed(
        plain(event_model(event_type).model_json_schema(mode="serialization")), event_type
    )
    return {
        "$schema": DIALECT,
        "$id": f"urn:libra:event:{event_type}:{_version(event_type)}",
        **schema,
    }


def config_schema() -> Json:
    """Describe the config file, short forms included."""
    schema = plain(described(Config.model_json_schema(by_alias=True)))
    definitions = schema["$defs"]
    spelled = definitions["CheckConfig"]
    bare = [kind for kind in KINDS if "required" not in _of(definitions, spelled, kind)]
    definitions["CheckConfig"] = {"anyOf": [{"enum": bare}, spelled]}
    return {"$schema": DIALECT, "$id": "urn:libra:config:1", **schema}


def _of(definitions: Json, spelled: Json, kind: str) -> Json:
    """Find what a kind of check may hold."""
    options = spelled["properties"][kind]["anyOf"]
    return next(definitions[ref.rpartition("/")[2]] for o in options if (ref := o.get("$ref")))


def narrowed(schema: Json, event_type: str) -> Json:
    """Pin the envelope's type and dataschema to those of *event_type*."""
    properties = schema["properties"] | {
        "type": {"const": event_type},
        "dataschema": {"const": schema_name(event_type)},
    }
    required = [*_ALWAYS, *(name for name in schema["required"] if name not in _ALWAYS)]
    return schema | {"properties": properties, "required": required, "title": event_type}


def plain(schema: Any) -> Any:
    """Drop the titles that pydantic makes of field names, and join wrapped lines."""
    if isinstance(schema, list):
        return [plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _joined(value) if key == "description" else plain(value)
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str))
    }


def _joined(text: Any) -> Any:
    """Join the lines of a paragraph; a property may be called description as well."""
    if not isinstance(text, str):
        return plain(text)
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def _version(event_type: str) -> int:
    return MODELS[event_type].VERSION
