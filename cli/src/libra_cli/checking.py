"""The commands that look at a config and at what it says is there: check and probe."""
# ruff: noqa: FBT002, PLC0415 - as in app.py

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from libra_cli.config_file import count, in_words, node_of, read, read_noted
from libra_cli.options import ConfigFile, Json, Node, Run
from libra_cli.output import print_json
from libra_cli.site import Given, locate

Row = dict[str, Any]


def add_to(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    app.command()(check)
    app.command()(probe)


def check(
    file: ConfigFile,
    probes: Annotated[
        bool, typer.Option("--probe", help="Then run every check once, from this host.")
    ] = False,
    node: Node = None,
    as_json: Json = False,
) -> None:
    """Check a config file; every error at once, as file:line:column."""
    if node is not None and not probes:
        raise typer.BadParameter("only with --probe", param_hint="--node")
    from libra_cli.absent import absent
    from libra_schemas.canonical import digest

    config, document, notes = read_noted(file, absent, as_json=as_json)
    facts = count(config)
    told = {"valid": True, "hash": digest(document), **facts, "notes": notes}
    if not as_json:
        print(f"{file} is valid: {in_words(facts)}", flush=True)
    elif not probes:
        print_json(told)
    if probes:
        from libra_cli.findings import table
        from libra_cli.probe import run

        rows = list(run(document, node_of(node, list(config.nodes))))
        if as_json:
            print_json(told | {"probes": rows})
        else:
            print(table(rows))
        _end(rows)


def probe(
    backend: Annotated[str, typer.Argument(metavar="SERVICE/BACKEND", help="Such as web/w1.")],
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            readable=False,
            help="A file; without it the config in force, told by the console, which must run.",
        ),
    ] = None,
    node: Node = None,
    run: Run = None,
    as_json: Json = False,
) -> None:
    """Run one backend's checks once, from this host, and show what was said."""
    from libra_cli import probe as program

    if backend.count("/") != 1:
        raise typer.BadParameter("expected SERVICE/BACKEND, such as web/w1", param_hint="BACKEND")
    if config is not None:
        parsed, document = read(config)
        name = node_of(node, list(parsed.nodes))
    else:
        site = locate(Given(node, None, run))
        document, name = program.document_in_force(site), site.node
    said = program.run(document, name, "--backend", backend, "--trace")
    if as_json:
        rows = _gathered(said)
        print_json(rows)
        _end(rows)
    _close(_printed(said))


def _printed(said: Iterable[Row]) -> list[Row]:
    """Print a dialogue as it goes on; give the row of each check."""
    from libra_cli.findings import heading, line, verdict

    rows: list[Row] = []
    before: Row | None = None
    for each in said:
        if before is None:
            print(heading(each), flush=True)
        if "line" in each:
            print(line(each, before), flush=True)
            before = each
        else:
            print(verdict(each), flush=True)
            rows.append(each)
            before = None
    return rows


def _gathered(said: Iterable[Row]) -> list[Row]:
    """Give the row of each check with its dialogue in it."""
    rows: list[Row] = []
    lines: list[Row] = []
    for each in said:
        if "line" in each:
            lines.append({"at_ms": each["at_ms"], "line": each["line"]})
        else:
            rows.append(each | {"dialogue": lines})
            lines = []
    return rows


def _end(rows: list[Row]) -> NoReturn:
    """End by what was found; what could not be run here is told with what mends it."""
    from libra_cli.findings import remedies

    for sentence in remedies(rows):
        sys.stderr.write(f"libra: {sentence}\n")
    _close(rows)


def _close(rows: list[Row]) -> NoReturn:
    """End by what was found and has been told."""
    from libra_cli.findings import status_of

    raise typer.Exit(status_of(rows))
