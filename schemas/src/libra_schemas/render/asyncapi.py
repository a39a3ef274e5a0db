"""The AsyncAPI 3.0 document: which service sends what on which subject, and who may listen.

Rule: one pair of channels per event type and form of its key: the subject it is published on
(sent by its one publisher), and the subject the LOG stream republishes it on, exactly once.
"""

from collections.abc import Iterator
from typing import Any

from pydantic.json_schema import models_json_schema

from libra_schemas.catalogue import CATALOGUE, EVERY, SERVICES
from libra_schemas.envelope import event_model
from libra_schemas.events import MODELS
from libra_schemas.render.json_schema import narrowed, plain

Json = dict[str, Any]

CONTENT_TYPE = "application/cloudevents+json"
_SCHEMAS = "#/components/schemas/{model}"

_PARAMETERS = {
    "node": "A director.",
    "service": "A virtual service, or the LibrA service that speaks of itself.",
    "backend": "A backend of the service.",
    "instance": "A virtual router.",
    "sink": "Whom a notification goes to.",
    "peer": "Another director, or the one acted on.",
}

_HEADERS = {
    "type": "object",
    "properties": {
        "Libra-Signature": {
            "type": "string",
            "description": "Ed25519 over the stored bytes: <key id>:<base64>.",
        },
        "Nats-Sequence": {
            "type": "string",
            "description": "Sequence in the stream LOG, on republished messages.",
        },
    },
}


def document() -> Json:
    """Describe every subject of the log."""
    return {
        "asyncapi": "3.0.0",
        "id": "urn:libra",
        "info": {
            "title": "LibrA",
            "version": "1.0.0",
            "description": "Every decision of a LibrA director, as an event in its log.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {
            "director": {
                "host": "127.0.0.1:4222",
                "protocol": "nats",
                "description": "The nats-server of one director, with JetStream.",
            }
        },
        "channels": {channel: value for form in _forms() for channel, value in _channels(*form)},
        "operations": {name: value for form in _forms() for name, value in _operations(*form)},
        "components": {
            "messages": {event_type: _message(event_type) for event_type in MODELS},
            "parameters": {name: {"description": text} for name, text in _PARAMETERS.items()},
            "schemas": _schemas(),
        },
    }


Form = tuple[str, str, tuple[str, ...]]
"""Channel name, event type, subject key with names in angle brackets."""


def _forms() -> Iterator[Form]:
    for event_type, entry in CATALOGUE.items():
        for key in entry.keys:
            suffix = f".{key[0].strip('<>')}" if len(entry.keys) > 1 else ""
            yield f"{event_type}{suffix}", event_type, _distinct(key)


def _distinct(key: tuple[str, ...]) -> tuple[str, ...]:
    """Tell a node in the key from the node that speaks."""
    return tuple("<peer>" if part == "<node>" else part for part in key)


def _channels(name: str, event_type: str, key: tuple[str, ...]) -> Iterator[tuple[str, Json]]:
    tokens = [f"{{{token[1:-1]}}}" if token.startswith("<") else token for token in key]
    parameters = ["node", *(token[1:-1] for token in key if token.startswith("<"))]
    shared = {
        "servers": [{"$ref": "#/servers/director"}],
        "parameters": {each: {"$ref": f"#/components/parameters/{each}"} for each in parameters},
        "messages": {event_type: {"$ref": f"#/components/messages/{event_type}"}},
    }
    published = ".".join(["lvs", "{node}", event_type, *tokens])
    republished = ".".join([event_type, "{node}", *tokens])
    yield name, {"address": published, "title": f"{name}, as published", **shared}
    yield f"{name}.logged", {"address": republished, "title": f"{name}, once logged", **shared}


def _operations(name: str, event_type: str, _key: tuple[str, ...]) -> Iterator[tuple[str, Json]]:
    entry = CATALOGUE[event_type]
    for publisher in SERVICES if entry.publisher == EVERY else (entry.publisher,):
        yield f"{publisher}.{name}", _operation("send", publisher, name, event_type)
    yield f"observer.{name}", _operation("receive", "observer", f"{name}.logged", event_type)


def _operation(action: str, who: str, channel: str, event_type: str) -> Json:
    verb = "publishes" if action == "send" else "may hear"
    return {
        "action": action,
        "summary": f"{who} {verb}: {CATALOGUE[event_type].meaning}",
        "tags": [{"name": who}],
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{event_type}"}],
    }


def _message(event_type: str) -> Json:
    return {
        "name": event_type,
        "title": event_type,
        "summary": CATALOGUE[event_type].meaning,
        "contentType": CONTENT_TYPE,
        "headers": _HEADERS,
        "payload": {"$ref": _SCHEMAS.format(model=event_model(event_type).__name__)},
    }


def _schemas() -> Json:
    models = {event_model(event_type).__name__: event_type for event_type in MODELS}
    _, described = models_json_schema(
        [(event_model(event_type), "serialization") for event_type in MODELS],
        ref_template=_SCHEMAS,
    )
    schemas = _bare_references(plain(described["$defs"]))
    return {
        name: narrowed(schema, models[name]) if name in models else schema
        for name, schema in schemas.items()
    }


def _bare_references(schema: Any) -> Any:
    """Drop what stands beside a `$ref`: JSON Schema draft 07, AsyncAPI's dialect, ignores it."""
    if isinstance(schema, list):
        return [_bare_references(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    return {key: _bare_references(value) for key, value in schema.items()}
