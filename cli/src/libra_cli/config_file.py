"""The config file that a command is given: read, refused with all that is wrong, summed up."""
# ruff: noqa: PLC0415 - `libra up` must not wait for what others import.

import os
import stat
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from libra_cli.exits import REFUSED, CommandError
from libra_cli.output import print_json

if TYPE_CHECKING:
    from libra_schemas.config import Config
    from libra_schemas.errors import ConfigError, Problem
    from libra_schemas.places import Finding

    Look = Callable[[Config], Iterable[Finding]]


def read(
    file: Path,
    *,
    as_json: bool = False,
    refused: "Callable[[ConfigError], None] | None" = None,
) -> "tuple[Config, dict[str, Any]]":
    """Read a config and its document.

    Where it has any problem print all, tell *refused* of them and end with status 1. What is
    valid and seldom meant is noted on standard error.
    """
    return read_noted(file, _nothing, as_json=as_json, refused=refused)[:2]


def read_noted(
    file: Path,
    look: "Look",
    *,
    as_json: bool = False,
    refused: "Callable[[ConfigError], None] | None" = None,
) -> "tuple[Config, dict[str, Any], list[str]]":
    """Read a config likewise, note what *look* finds in it too, and give the notes."""
    from libra_runtime.yaml_config import read_placed
    from libra_schemas.errors import ConfigError
    from libra_schemas.rules.advice import advise

    try:
        config, document, places = read_placed(file)
    except ConfigError as error:
        _print_problems(error, "; nothing changed" if refused is not None else "", as_json=as_json)
        if refused is not None:
            refused(error)
        raise typer.Exit(REFUSED) from None
    notes = [places.problem(each) for each in (*advise(config), *look(config))]
    notes.sort(key=lambda note: (note.line, note.column))
    for note in notes:
        sys.stderr.write(f"{_in_text(note)}\n")
    return config, document, [str(note) for note in notes]


def _nothing(_: "Config") -> "Iterable[Finding]":
    return ()


def _print_problems(error: "ConfigError", consequence: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"valid": False, "problems": [asdict(each) for each in error.problems]})
    else:
        errors = plural(len(error.problems), "errors")
        sys.stderr.write(f"{error}\n{errors}{consequence}\n")


def _in_text(note: "Problem") -> str:
    """Write a note as compilers do: `file:line:column: note: ...`."""
    return str(replace(note, path=f"note: {note.path}"))


def require_shared(file: Path) -> None:
    """Raise CommandError where root may read *file* by its capabilities only.

    Containers without them offer it to the console later, and read it for `libra apply`.
    """
    from libra_runtime.yaml_config import LET_READ

    found = file.stat()
    of_group = found.st_gid in {os.getgid(), *os.getgroups()} and found.st_mode & stat.S_IRGRP
    if found.st_uid != 0 and not of_group and not found.st_mode & stat.S_IROTH:
        raise CommandError(f"{file}: only its owner may read it; {LET_READ}")


def flaw_of(file: Path) -> str:
    """Say in a few words why *file* is no config, "" where it is one."""
    from libra_runtime.yaml_config import read_config
    from libra_schemas.errors import ConfigError

    try:
        read_config(file)
        require_shared(file)
    except ConfigError as error:
        return plural(len(error.problems), "errors")
    except CommandError as error:
        return str(error)
    return ""


def node_of(node: str | None, names: list[str]) -> str:
    """Choose the node this host is; raise CommandError where the config has none of that name."""
    from libra_cli.site import default_node

    chosen = node or os.environ.get("LIBRA_NODE") or default_node(names)
    if chosen not in names:
        raise CommandError(
            f"the config has no node {chosen!r}: name one it has with --node or LIBRA_NODE, "
            + ", ".join(names)
        )
    return chosen


def count(config: "Config") -> dict[str, int]:
    """Count what a config holds."""
    return {
        "nodes": len(config.nodes),
        "instances": len(config.instances),
        "services": len(config.services),
        "backends": sum(len(each.backends) for each in config.services.values()),
        "sinks": len(config.notify),
    }


def in_words(counts: dict[str, int]) -> str:
    """Say counts of things that are named in the plural: `1 node, 2 services`."""
    return ", ".join(plural(number, what) for what, number in counts.items())


def plural(number: int, what: str) -> str:
    """Say *number* of *what*, a word in the plural."""
    return f"{number} {what.removesuffix('s') if number == 1 else what}"
