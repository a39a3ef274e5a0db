import pytest

from libra_health.handshake import TlsSpec, days, shortcoming, unsecured
from libra_health.outcome import Errored, Failed, Reason
from libra_health.wire import Secured, Tls, Unsecured

DAY = 86400.0


def test_files_of_ours_are_our_trouble_and_the_rest_is_theirs() -> None:
    assert unsecured(Unsecured(Reason.LOCAL, "x"), 0.5) == Errored(Reason.LOCAL, "x")
    bad = Unsecured(Reason.CERTIFICATE, "certificate has expired")
    assert unsecured(bad, 0.5) == Failed(Reason.CERTIFICATE, "certificate has expired", 0.5)


@pytest.mark.parametrize(
    ("within", "left", "detail"),
    [
        pytest.param(14 * DAY, 15 * DAY, None, id="long enough"),
        pytest.param(0.0, 1.0, None, id="nobody asked"),
        pytest.param(14 * DAY, None, None, id="not looked at"),
        pytest.param(
            14 * DAY,
            1.55 * DAY,
            "certificate expires in 1.5 days, wanted 14 days at least",
            id="soon",
        ),
    ],
)
def test_a_certificate_that_expires_soon_is_told(
    within: float, left: float | None, detail: str | None
) -> None:
    found = shortcoming(TlsSpec(Tls("a"), within), Secured(left, "TLSv1.3"), 0.5)
    assert found == (None if detail is None else Failed(Reason.EXPIRY, detail, 0.5))


@pytest.mark.parametrize(
    ("chosen", "detail"),
    [
        ("h2", None),
        ("", "ALPN: chose no protocol, wanted h2, http/1.1"),
        ("x", "ALPN: chose x, wanted h2, http/1.1"),
    ],
)
def test_a_protocol_that_is_asked_for_must_be_chosen(chosen: str, detail: str | None) -> None:
    spec = TlsSpec(Tls("a", alpn=("h2", "http/1.1")))
    found = shortcoming(spec, Secured(DAY, "TLSv1.3", chosen), 0.5)
    assert found == (None if detail is None else Failed(Reason.TLS, detail, 0.5))


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (DAY, "1 day"),
        (1.5 * DAY, "1.5 days"),
        (1.99 * DAY, "1.9 days"),
        (2.3 * DAY, "2.3 days"),
        (4.9999 * DAY, "4.9 days"),
        (9.96 * DAY, "9.9 days"),
        (13.99 * DAY, "13 days"),
        (14 * DAY, "14 days"),
        (5400.0, "1.5 hours"),
        (3600.0, "1 hour"),
        (1.0, "0 hours"),
    ],
)
def test_spans_are_told_in_days_and_never_longer_than_they_are(span: float, said: str) -> None:
    assert days(span) == said
