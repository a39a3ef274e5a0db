from typing import Any

import pytest
from pydantic import TypeAdapter

from libra_schemas.config.fields import Duration, Endpoint
from libra_schemas.model import Address
from libra_schemas.render.values import default, values

LINKS = {"CheckConfig": "[check](#checks)"}
CHECK = {"$ref": "#/$defs/CheckConfig"}
NUMBER = {"type": "integer", "minimum": 1, "maximum": 255}
NULL = {"type": "null"}


def shape(annotation: Any) -> dict[str, Any]:
    return TypeAdapter(annotation).json_schema()


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (shape(Duration), "duration"),
        (shape(Duration | None), "duration"),
        (shape(Address), "address"),
        (shape(Endpoint), "as `192.0.2.10:80`, `[2001:db8::10]:80`"),
        (shape(bool), "`true`, `false`"),
        (shape(str), "text"),
        (shape(tuple[int, int]), "[number, number]"),
        ({"enum": ["nat", "dr"]}, "`nat`, `dr`"),
        ({"const": 1}, "`1`"),
        ({"type": "integer", "minimum": 1}, "number from 1"),
        (NUMBER, "number 1 to 255"),
        ({"items": {"type": "string"}, "type": "array"}, "list, each text"),
        ({"anyOf": [CHECK, {"items": CHECK}, NULL]}, "[check](#checks) or a list of them"),
        ({"$ref": "#/$defs/Garp"}, "the keys below"),
        (
            {"anyOf": [NUMBER, {"patternProperties": {"^a$": NUMBER}}]},
            "number 1 to 255 or one per name",
        ),
        ({"patternProperties": {"^a$": {"type": "string"}}}, "by name: text"),
        (
            {"anyOf": [{"type": "boolean"}, {"const": "later"}, *shape(Duration)["anyOf"]]},
            "`true`, `false`, `later`, duration",
        ),
    ],
)
def test_values_are_said_as_people_write_them(schema: dict[str, Any], said: str) -> None:
    assert values(schema, LINKS) == said


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"default": 0.5}, "`500ms`"),
        ({"default": 0.0}, "`0`"),
        ({"default": 1.0}, "`1s`"),
        ({"default": 90.0}, "`90s`"),
        ({"default": 300.0}, "`5m`"),
        ({"default": 86400.0}, "`1d`"),
        ({"default": False}, "`false`"),
        ({"default": 0}, "`0`"),
        ({"default": "wlc"}, "`wlc`"),
        ({"default": [2, 0]}, "`[2, 0]`"),
        ({"default": []}, "none"),
        ({"default": None}, "none"),
        ({"type": "object"}, "none"),
        ({"$ref": "#/$defs/Garp", "default": {"repeat": 5}}, "its keys' defaults"),
    ],
)
def test_defaults_are_said_as_people_write_them(schema: dict[str, Any], said: str) -> None:
    assert default(schema) == said
