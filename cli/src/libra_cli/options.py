"""The options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Node = Annotated[str | None, typer.Option("--node", help="The node (LIBRA_NODE).")]
State = Annotated[Path | None, typer.Option("--state", help="Its state directory (LIBRA_STATE).")]
Run = Annotated[Path | None, typer.Option("--run", help="Its socket directory (LIBRA_RUN).")]
Nats = Annotated[str | None, typer.Option("--nats", help="Its nats-server (LIBRA_NATS).")]
Json = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]
ConfigFile = Annotated[
    Path, typer.Argument(metavar="FILE", readable=False, help="The config (YAML).")
]
"""Whether it may be read is found out by reading it: that says what to do."""
