import pytest

from libra_health.checks import (
    DnsSpec,
    ExecSpec,
    GrpcSpec,
    HttpSpec,
    HttpsSpec,
    IcmpSpec,
    LdapSpec,
    SmtpSpec,
    Spec,
    TcpSpec,
    TlsSpec,
    UdpSpec,
    kind_of,
    start,
    step,
)
from libra_health.checks.http import Ask
from libra_health.http.request import Request
from libra_health.outcome import Failed, Reason
from libra_health.wire import DeadlineReached, Target, Tls

ASKS = (Ask(Request("h")),)


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("tcp", TcpSpec()),
        ("http", HttpSpec(ASKS)),
        ("https", HttpsSpec(ASKS, tls=TlsSpec(Tls("h")))),
        ("tls", TlsSpec(Tls("h"))),
        ("icmp", IcmpSpec()),
        ("smtp", SmtpSpec()),
        ("dns", DnsSpec(b"")),
        ("ldap", LdapSpec()),
        ("grpc", GrpcSpec("h")),
        ("exec", ExecSpec(("/bin/true",))),
        ("udp", UdpSpec(silence_passes=False)),
    ],
)
def test_every_check_starts_and_ends_by_its_deadline(kind: str, spec: Spec) -> None:
    assert kind_of(spec) == kind
    state, effects = start(Target("192.0.2.1", 80), spec, 0.0)
    assert len(effects) == 1
    outcome = step(state, DeadlineReached(), 0.5)[1]
    assert isinstance(outcome, Failed)
    assert outcome.reason is Reason.TIMEOUT
