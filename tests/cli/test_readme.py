"""cli/README.md and `libra --help` say the same."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from libra_cli.app import app

README = (Path(__file__).parents[2] / "cli" / "README.md").read_text()
ROWS = [line.split(" | ")[0] for line in README.splitlines() if line.startswith("| `")]
OPTION = re.compile(r"--[a-z0-9-]+")
EVERYWHERE = {"--node", "--run", "--state", "--nats", "--json", "--help"}


def leaves(command: Any, name: str = "") -> dict[str, list[str]]:
    """List every command that does something, with its long options."""
    inner = getattr(command, "commands", None)
    if inner is None:
        given = [opt for each in command.params for opt in each.opts if opt.startswith("--")]
        return {name: given}
    found: dict[str, list[str]] = {}
    for word, each in inner.items():
        found |= leaves(each, f"{name} {word}".strip())
    return found


COMMANDS = leaves(typer.main.get_command(app))


def row_of(command: str) -> str:
    (row,) = [row for row in ROWS if re.search(rf"`{command}[` ]", row)]
    return row


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_row_with_its_options(command: str) -> None:
    named = set(OPTION.findall(row_of(command)))
    assert named == set(COMMANDS[command]) - EVERYWHERE


def test_what_every_command_has_is_said_once() -> None:
    assert {name for name, has in COMMANDS.items() if "--json" not in has} == {"up"}
    assert "every command but `up` has `--json`" in README


def test_every_row_is_of_commands_that_there_are() -> None:
    words = {word for row in ROWS for word in re.findall(r"`([a-z]+(?: [a-z]+)?)[` ]", row)}
    assert words == set(COMMANDS)
