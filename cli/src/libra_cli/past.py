"""The commands that look back: events and replay."""
# ruff: noqa: FBT002, PLC0415, PLR0913, PLR0917 - as in app.py

import asyncio
import sys
from typing import Annotated, Literal

import typer

from libra_cli.options import Json, Nats, Node, Run, State
from libra_cli.site import Given, locate

MOST = 1_000_000
"""Events that `--last` keeps in memory."""


def add_to(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    app.command()(events)
    app.command()(replay)


def events(
    types: Annotated[
        list[str] | None, typer.Option("--type", help="Only these, such as backend.* (repeatable).")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", help="A time (03:12, 2026-01-31T03:12), 10m (ago), or a sequence."),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", help="As --since: nothing after that.")
    ] = None,
    last: Annotated[
        int | None, typer.Option("--last", min=1, max=MOST, help="Only the last N.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on for ever.")] = False,
    node: Node = None,
    state: State = None,
    run: Run = None,
    nats: Nats = None,
    as_json: Json = False,
) -> None:
    """Show the log, one line per event."""
    from libra_cli.events import Query, show, unknown

    if wrong := unknown(types or ()):
        raise typer.BadParameter(wrong, param_hint="--type")
    if follow and until is not None:
        raise typer.BadParameter("--follow has no end", param_hint="--until")
    query = Query(tuple(types or ()), since, until, last, follow, as_json)
    asyncio.run(show(locate(Given(node, state, run, nats)), query))


def replay(
    services: Annotated[
        list[str] | None, typer.Argument(metavar="[SERVICE]...", help="Only these services.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at", metavar="TIME|SEQ", help="The moment: 03:12, 10m (ago), 1234 (default: now)."
        ),
    ] = None,
    form: Annotated[
        Literal["ipvsadm", "json", "table"], typer.Option("--format", help="How.")
    ] = "ipvsadm",
    desired: Annotated[
        bool, typer.Option("--desired", help="What was wanted, not what the kernel held.")
    ] = False,
    paths: Annotated[
        bool, typer.Option("--paths", help="The private services of data_path checks too.")
    ] = False,
    node: Node = None,
    state: State = None,
    run: Run = None,
    nats: Nats = None,
    as_json: Json = False,
) -> None:
    """Print the table the kernel held at a moment, from the log."""
    from libra_cli import replay as command

    query = command.Query(at, tuple(services or ()), desired, paths)
    past = asyncio.run(command.replay(locate(Given(node, state, run, nats)), query))
    sys.stdout.write(command.formatted(past, "json" if as_json else form))
    for doubt in past.doubts:
        sys.stderr.write(f"{doubt}\n")
