"""The commands of `libra`: their options, and nothing that is slow to import."""
# ruff: noqa: FBT002, PLC0415, PLR0913, PLR0917 - typer makes options of parameters, and each
# command imports what it needs itself: `libra up` must not wait for what others import.

import asyncio
import sys
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from libra_cli import checking, digest, operate, past
from libra_cli.config_file import node_of, read, require_shared
from libra_cli.exits import CommandError
from libra_cli.keys import keys
from libra_cli.options import ConfigFile, Json, Nats, Node, Run, State
from libra_cli.output import print_json
from libra_cli.site import Given, locate
from libra_runtime.stdout import complain, watched

_EPILOG = (
    "Exit status: 0 done; 1 what was given is wrong or was refused; 2 wrong command line; "
    "3 console or log not reachable; 4 something is missing on this host."
)

app = typer.Typer(
    name="libra",
    help="A layer-4 load balancer that can say why.",
    epilog=_EPILOG,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:  # noqa: FBT001 - what typer calls
    if wanted:
        from libra_runtime import VERSION

        print(f"libra {VERSION}")
        raise typer.Exit


@app.callback()
def common(
    _: Annotated[
        bool,
        typer.Option(
            "--version", help="Say which release this is.", callback=_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Take the options that belong to no command."""


@app.command()
def up(
    config: Annotated[
        Path | None, typer.Option("--config", readable=False, help="The config to start with.")
    ] = None,
    only: Annotated[
        str | None, typer.Option("--only", help="Only these services, such as console,health.")
    ] = None,
    metrics: Annotated[
        int, typer.Option("--metrics", help="First of the five metrics ports, 0 for none.")
    ] = 9640,
    log_level: Annotated[str, typer.Option("--log-level", help="Of logs (stderr).")] = "info",
    node: Node = None,
    state: State = None,
    run: Run = None,
    nats: Nats = None,
) -> None:
    """Run a whole node on this host: nats-server and all services, until Ctrl-C."""
    from libra_cli.node import SERVICES, Order
    from libra_cli.up import up as run_node
    from libra_schemas.marks import is_marking

    document, marks = None, False
    if config is not None:
        parsed, document = read(config)
        node, marks = node_of(node, list(parsed.nodes)), is_marking(parsed)
    order = Order(
        site=locate(Given(node, state, run, nats)),
        config=config.absolute() if config else None,
        document=document,
        services=_chosen(only, SERVICES),
        metrics=metrics,
        log_level=log_level,
        marks=marks,
    )
    raise typer.Exit(run_node(order))


@app.command()
def init(
    config: Annotated[
        Path | None, typer.Option("--config", readable=False, help="The config to start with.")
    ] = None,
    stage: Annotated[
        Literal["files", "streams", "config"] | None,
        typer.Option("--stage", help="Only this: before nats-server, after it, after the console."),
    ] = None,
    wait: Annotated[
        float, typer.Option("--wait", min=0, help="Seconds for nats-server and the console.")
    ] = 0,
    monitor: Annotated[
        int, typer.Option("--monitor", help="Port of nats-server's monitoring, 0 for none.")
    ] = 0,
    lenient: Annotated[
        bool,
        typer.Option(
            "--lenient", help="Let a config with errors be: the node goes on with what it has."
        ),
    ] = False,
    node: Node = None,
    state: State = None,
    run: Run = None,
    nats: Nats = None,
    as_json: Json = False,
) -> None:
    """Make a node's directories, keys, server configuration, streams and first config."""
    from libra_cli import init as command
    from libra_cli.offer import Offer

    if lenient and stage != "files":
        raise typer.BadParameter("only with --stage files", param_hint="--lenient")
    if stage == "config" and config is None:
        raise typer.BadParameter("which file?", param_hint="--config")
    where = Given(node, state, run, nats)
    if lenient and config and command.goes_on_without(config, where):
        config = None
    given = None
    if config is not None:
        refused = (
            partial(command.report_refused, where, wait, config) if stage == "config" else None
        )
        parsed, document = read(config, as_json=as_json, refused=refused)
        if stage == "files":
            require_shared(config)
        where = replace(where, node=node_of(node, list(parsed.nodes)))
        given = Offer(document, config.absolute(), "libra init")
    site = locate(where)
    work = command.Work(site, (stage,) if stage else command.STAGES, given, wait, monitor)
    done = asyncio.run(command.init(work))
    if as_json:
        print_json({"node": site.node, "state": str(site.state), **asdict(done)})
    else:
        print(command.report(work, done))


@app.command()
def apply(
    file: ConfigFile,
    base: Annotated[
        str | None, typer.Option("--base", help="Only if revision N is in force.")
    ] = None,
    comment: Annotated[str, typer.Option("--comment", "-m", help="Why, for the log.")] = "",
    author: Annotated[str, typer.Option("--author", help="Who (default: the user).")] = "",
    node: Node = None,
    run: Run = None,
    as_json: Json = False,
) -> None:
    """Put a config in force on this director; apply the same file on each."""
    from libra_cli.gateway import ask, require
    from libra_cli.offer import tell_refused

    site = locate(Given(node, None, run))
    _, document = read(file, as_json=as_json, refused=partial(tell_refused, site, file, author))
    answer = require(
        ask(
            site,
            "POST",
            "/v1/config",
            {
                "document": document,
                "author": author,
                "base": base,
                "comment": comment,
                "file": str(file.absolute()),
            },
        )
    )
    if as_json:
        print_json(answer)
    elif answer["changed"]:
        print(f"revision {answer['number']} is in force (sequence {answer['sequence']})")
    else:
        print(f"unchanged: revision {answer['number']} holds this already")


@app.command()
def status(node: Node = None, run: Run = None, as_json: Json = False) -> None:
    """Show what is up, who is master, and why."""
    from libra_cli.gateway import ask, require

    answer = require(ask(locate(Given(node, None, run)), "GET", "/v1/status"))
    if as_json:
        print_json(answer)
        return
    from libra_cli.report import report

    print(report(answer))


checking.add_to(app)
digest.add_to(app)
past.add_to(app)
operate.add_to(app)
app.add_typer(keys, name="keys")


def _chosen(only: str | None, known: tuple[str, ...]) -> tuple[str, ...]:
    if only is None:
        return known
    wanted = [each.strip() for each in only.split(",") if each.strip()]
    unknown = [each for each in wanted if each not in known]
    if unknown:
        raise typer.BadParameter(
            f"{unknown[0]!r} is none of {', '.join(known)}", param_hint="--only"
        )
    return tuple(each for each in known if each in wanted)


def main() -> None:
    """Run one command; an error ends it with one sentence and its status."""
    with watched("libra"):
        try:
            app()
        except CommandError as error:
            complain("libra", error)
            sys.exit(error.status)
        except KeyboardInterrupt:
            sys.exit(130)


__all__ = ["app", "main"]
