from libra_health.checks import kind_of
from libra_health.checks.http import Ask, HttpSpec
from libra_health.checks.https import HttpsSpec, start, step
from libra_health.handshake import TlsSpec
from libra_health.http.request import Request
from libra_health.wire import Connect, Connected, StartTls, Target, Tls

TARGET = Target("192.0.2.1", 443)
ASKS = (Ask(Request("www.example.net")),)


def test_https_is_http_with_a_handshake_and_a_name_of_its_own() -> None:
    spec = HttpsSpec(ASKS, tls=TlsSpec(Tls("www.example.net")))
    state, effects = start(TARGET, spec, 0.0)
    assert effects == (Connect(TARGET, abort=False),)
    assert step(state, Connected(), 0.1)[1] == (StartTls(Tls("www.example.net")),)
    assert (kind_of(spec), kind_of(HttpSpec(ASKS))) == ("https", "http")
