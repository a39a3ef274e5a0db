"""What the tests of real programs share."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest


@pytest.fixture
def open_path() -> Iterator[Path]:
    """Make a place that nobody is kept out of: pytest's own are root's alone."""
    with TemporaryDirectory(prefix="libra-") as made:
        Path(made).chmod(0o777)
        yield Path(made)
