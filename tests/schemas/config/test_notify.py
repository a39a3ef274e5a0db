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


@pytest.mark.parametrize("name", ["password", "secret", "url", "token"])
def test_no_secret_is_a_value(name: str) -> None:
    for kind, fields in KINDS.items():
        with pytest.raises(ValidationError, match="Extra inputs"):
            SinkConfig.model_validate({kind: fields | {name: "x"}, "match": ["*.*"]})
