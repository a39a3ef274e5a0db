"""What every test needs."""

import signal


def pytest_configure() -> None:
    """Answer Ctrl-C, and let children answer it, even where who started us ignores it."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
