"""A small valid config to break in one place, and what LibrA says then."""

from collections.abc import Callable
from typing import Any

import pytest

from libra_schemas.errors import ConfigError
from libra_schemas.load import config_from

Document = dict[str, Any]
Complain = Callable[[Document], list[str]]


@pytest.fixture
def document() -> Document:
    return {
        "version": 1,
        "nodes": {"a": {"address": "10.0.0.2"}, "b": {"address": "10.0.0.3"}},
        "instances": {
            "front": {
                "interface": "eth0",
                "vrid": 51,
                "priority": {"a": 150, "b": 100},
                "addresses": ["192.0.2.10/24"],
                "track": {"services": {"web": {"weight": -20}}},
            }
        },
        "services": {
            "web": {
                "address": "192.0.2.10:80",
                "sorry": "10.0.1.99:80",
                "backends": {"w1": {"address": "10.0.1.11:80", "weight": 3}, "w2": "10.0.1.12:80"},
            }
        },
        "notify": {"ops": {"webhook": {"url_file": "/etc/libra/url"}, "match": ["backend.*"]}},
    }


@pytest.fixture
def complaints() -> Complain:
    """Load a document and give what is wrong with it, one text per problem."""

    def complain(broken: Document) -> list[str]:
        try:
            config_from(broken)
        except ConfigError as error:
            return [str(problem) for problem in error.problems]
        return []

    return complain
