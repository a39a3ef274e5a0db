"""What every test needs."""

import signal

from hypothesis import HealthCheck, settings


def pytest_configure() -> None:
    """Answer Ctrl-C, and let children answer it, even where who started us ignores it.

    A property holds however slow the machine is: no example is held to a stopwatch.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    settings.register_profile(
        "patient", deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("patient")
