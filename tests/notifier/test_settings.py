"""What the notifier holds itself to."""

from libra_notifier.settings import Settings


def test_what_runs_at_once_fits_into_the_window() -> None:
    assert 0 < Settings().at_once <= Settings().window
