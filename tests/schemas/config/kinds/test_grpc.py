from typing import Any

import pytest
from pydantic import ValidationError

from libra_schemas.config import CheckConfig, GrpcSpec, TlsSpec


def test_the_whole_server_is_asked_about_where_nothing_is_written() -> None:
    made = CheckConfig.model_validate("grpc").grpc
    assert made == GrpcSpec()
    assert made is not None
    assert (made.service, made.authority, made.tls) == ("", None, None)


def test_tls_is_spoken_the_usual_way_by_a_switch() -> None:
    assert GrpcSpec.model_validate({"tls": True}).tls == TlsSpec()
    assert GrpcSpec.model_validate({"tls": False}).tls is None


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ({"service": "a\nb"}, "printable ASCII only"),
        ({"service": "a" * 1025}, "at most 1024 characters"),
        ({"authority": "a b"}, "holds no blanks"),
        ({"authority": ""}, "not empty"),
        ({"tls": "yes"}, "valid dictionary"),
    ],
)
def test_what_cannot_be_asked_is_refused(written: Any, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        GrpcSpec.model_validate(written)
