from collections.abc import Iterator

import pytest

from libra_schemas.config import Config, EmailSink
from libra_schemas.model import Strict
from libra_schemas.render.descriptions import described, descriptions, models
from libra_schemas.render.json_schema import config_schema

SCHEMA = Config.model_json_schema(by_alias=True)
KEYS = [
    (name, field.alias or key)
    for name, model in models().items()
    for key, field in model.model_fields.items()
]


def texts() -> Iterator[str]:
    for model in models().values():
        yield from descriptions(model).values()


def test_every_model_of_the_config_is_known() -> None:
    assert set(models()) == {*SCHEMA["$defs"], "Config"}


@pytest.mark.parametrize(("model", "key"), KEYS, ids=[".".join(pair) for pair in KEYS])
def test_every_field_has_a_description(model: str, key: str) -> None:
    assert descriptions(models()[model]).get(key), f"write a docstring below {model}.{key}"


def test_a_description_is_one_short_sentence_that_fits_a_table() -> None:
    odd = [text for text in texts() if not text.endswith(".") or len(text) > 220 or "|" in text]
    assert odd == []


def test_a_field_is_described_by_the_key_that_people_write() -> None:
    assert descriptions(EmailSink)["from"] == "Who it is from."
    assert "sender" not in descriptions(EmailSink)


def test_only_what_stands_below_a_field_describes_it() -> None:
    class Odd(Strict):
        """Of the class."""

        bare: int
        told: int
        """In two
        lines.
        """

        def method(self) -> int:
            """Of the method."""
            return self.bare

    assert descriptions(Odd) == {"told": "In two lines."}


def test_every_key_is_described_to_editors() -> None:
    schema = described(SCHEMA)
    keys = [
        each
        for model in (schema, *schema["$defs"].values())
        for each in model["properties"].values()
    ]
    assert len(keys) == len(KEYS)
    assert all(each["description"] for each in keys)
    assert config_schema()["properties"]["nodes"]["description"].startswith("The directors by name")
