from typing import Any

import pytest
from pydantic import ValidationError

from libra_schemas.config import SinkConfig

KINDS: dict[str, dict[str, Any]] = {
    "webhook": {"url_file": "/etc/libra/url"},
    "email": {"to": ["ops@example.com"], "from": "libra@example.com", "server": "mail"},
    "program": {"command": ["/usr/local/bin/tell"]},
}


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_sink_is_of_one_kind(kind: str) -> None:
    assert SinkConfig.model_validate({kind: KINDS[kind], "match": ["*.*"]}).kind == kind


@pytest.mark.parametrize("kinds", [(), ("webhook", "program")])
def test_none_or_two_kinds_are_told(kinds: tuple[str, ...]) -> None:
    sink = {kind: KINDS[kind] for kind in kinds} | {"match": ["*.*"]}
    with pytest.raises(ValidationError, match="name exactly one of webhook, email, program"):
        SinkConfig.model_validate(sink)


@pytest.mark.parametrize("name", ["password", "secret", "url", "token"])
def test_no_secret_is_a_value(name: str) -> None:
    for kind, fields in KINDS.items():
        with pytest.raises(ValidationError, match="Extra inputs"):
            SinkConfig.model_validate({kind: fields | {name: "x"}, "match": ["*.*"]})
