import pytest

from libra_health.asked.grpc import asked
from libra_health.checks.grpc import GrpcSpec
from libra_health.handshake import TlsSpec
from libra_health.wire import Target, Tls
from libra_schemas import config as written

TARGET = Target("192.0.2.1", 50051)


def test_nothing_written_asks_about_the_server_probed() -> None:
    assert asked(written.GrpcSpec(), TARGET) == GrpcSpec("192.0.2.1:50051")
    assert asked(written.GrpcSpec(), Target("2001:db8::1", 1)).authority == "[2001:db8::1]:1"


def test_every_option_is_taken_over() -> None:
    spec = written.GrpcSpec.model_validate(
        {"service": "a.B", "authority": "a.example:1", "tls": {"expires_within": "1h"}}
    )
    secured = TlsSpec(Tls("a.example", alpn=("h2",)), 3600.0)
    assert asked(spec, TARGET) == GrpcSpec("a.example:1", "a.B", secured)


@pytest.mark.parametrize(
    ("tls", "name"), [(True, "192.0.2.1"), ({"name": "b", "alpn": ["h2"]}, "b")]
)
def test_over_tls_http2_is_asked_for(tls: object, name: str) -> None:
    spec = written.GrpcSpec.model_validate({"tls": tls})
    assert asked(spec, TARGET).tls == TlsSpec(Tls(name, alpn=("h2",)))
