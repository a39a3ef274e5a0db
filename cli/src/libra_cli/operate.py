"""The commands with which an operator acts: drain, maint, ready, failover, weight."""
# ruff: noqa: FBT002, PLC0415, PLR0913, PLR0917 - as in app.py

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from libra_cli.exits import CommandError
from libra_cli.options import Json, Node, Run
from libra_cli.output import clock, print_json
from libra_cli.site import Given, Site, locate

Why = Annotated[str, typer.Option("--why", "-m", help="Why, for the log.")]
For = Annotated[str | None, typer.Option("--for", help="How long, such as 30m.")]
OnNode = Annotated[str | None, typer.Option("--on", help="The node it is for; another refuses it.")]


HERE = "Counts on this director; say it on each."

VERBS = {
    "drain": f"Send no new connections; those that are there may end. {HERE}",
    "maint": f"Take out of the table at once. {HERE}",
    "ready": "Take back what an operator set.",
    "failover": (
        "Hand an instance with its group, or all of this node, over to the peer; ready ends it "
        "early."
    ),
}

ENTITIES = {
    "drain": "backend.S.B, service.S, or node.N (no master) for all that N forwards.",
    "maint": "backend.S.B, service.S, or node.N (no master) for all that N forwards.",
    "ready": "backend.S.B, service.S, instance.I (or I) or node.N.",
    "failover": "instance.I (or I), or node.N for all that N is master of.",
}


def add_to(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    for verb, summary in VERBS.items():
        app.command(verb, help=summary)(_command(verb))
    app.command()(weight)


def _command(verb: str) -> Callable[..., None]:
    def command(
        entity: Annotated[str, typer.Argument(help=ENTITIES[verb])],
        why: Why = "",
        duration: For = None,
        on: OnNode = None,
        node: Node = None,
        run: Run = None,
        as_json: Json = False,
    ) -> None:
        act = {"entity": entity, "why": why, "until": _until(duration), "node": on}
        _act(verb, locate(Given(node, None, run)), act, as_json=as_json)

    return command


def weight(
    entity: Annotated[str, typer.Argument(help="backend.S.B.")],
    value: Annotated[int, typer.Argument(min=0, max=65535, help="The weight.")],
    why: Why = "",
    duration: For = None,
    on: OnNode = None,
    node: Node = None,
    run: Run = None,
    as_json: Json = False,
) -> None:
    """Set a backend's weight. Counts on this director; say it on each."""
    act = {
        "entity": entity, "why": why, "until": _until(duration), "node": on, "weight": value,
    }  # fmt: skip
    _act("weight", locate(Given(node, None, run)), act, as_json=as_json)


_MODES = {"ready": "ready", "drain": "draining", "maint": "in maintenance"}


def _act(verb: str, site: Site, act: dict[str, Any], *, as_json: bool) -> None:
    from libra_cli.gateway import ask, require

    answer = require(ask(site, "POST", f"/v1/operator/{verb}", act))
    if as_json:
        print_json(answer)
        return
    told = _told(answer["state"], answer["with"])
    print(f"{told} (sequence {answer['sequence']})")


def _told(state: dict[str, Any], others: list[str]) -> str:
    entity = ".".join(state["entity"])
    until = f" until {clock(state['until'])}" if state["until"] else ""
    if state["failover"]:
        group = f" with {' and '.join(others)} of its group" if others else ""
        return f"{entity} is handed over{group}: its master gives it up and holds back{until}"
    weight = f", weight {state['weight']}" if state["weight"] is not None else ""
    return f"{entity} is {_MODES[state['mode']]}{weight}{until}"


def _until(duration: str | None) -> str | None:
    if duration is None:
        return None
    from libra_schemas.config.fields import parse_duration

    try:
        return (datetime.now(UTC) + timedelta(seconds=parse_duration(duration))).isoformat()
    except ValueError as error:
        raise CommandError(f"--for: {error}") from None
    except OverflowError:
        raise CommandError(f"--for: {duration} ends beyond the calendar") from None
