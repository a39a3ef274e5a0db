from typing import Any

import yaml
from jsonschema import Draft202012Validator

from libra_schemas.load import config_from
from libra_schemas.render.config_examples import EXAMPLES
from libra_schemas.render.config_page import PARTS
from libra_schemas.render.json_schema import config_schema

Document = dict[str, Any]


def together() -> Document:
    """Put the examples into one document; one key must not hold two things."""
    whole: Document = {}
    for text in EXAMPLES.values():
        for section, held in yaml.safe_load(text).items():
            known = whole.get(section)
            if not isinstance(known, dict):
                whole[section] = held
                continue
            assert all(known.get(name, held[name]) == held[name] for name in held)
            whole[section] = known | held
    return whole


def test_the_examples_are_one_config_that_libra_accepts() -> None:
    config = config_from(together())
    assert set(config.services) == {
        "ntp", "web", "marked", "mail", "shop", "imap", "smtp", "names", "directory", "api",
        "imaps", "db", "news", "sip", "web-dr", "orders",
    }  # fmt: skip
    assert {sink.kind for sink in config.notify.values()} == {"webhook", "email", "program"}


def test_editors_accept_the_examples() -> None:
    Draft202012Validator(config_schema()).validate(together())


def test_every_part_has_an_example() -> None:
    assert set(EXAMPLES) == {part.model for part in PARTS}
