"""What an operator may write where time is meant."""

import pytest
from typer.testing import CliRunner

from libra_cli.app import app
from libra_cli.exits import CommandError


@pytest.mark.parametrize("duration", ["99999999999h", "soon", "-1s", ""])
def test_a_duration_that_is_none_is_refused_before_anybody_is_asked(duration: str) -> None:
    words = ["drain", "backend.web.w1", "--for", duration, "--node", "a"]
    found = CliRunner().invoke(app, words).exception
    assert isinstance(found, CommandError)
    assert str(found).startswith("--for: ")


def test_no_more_events_are_asked_for_than_memory_holds() -> None:
    result = CliRunner().invoke(app, ["events", "--last", "9" * 20, "--node", "a"])
    assert result.exit_code == 2
    assert "--last" in result.output
