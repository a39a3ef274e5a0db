"""`libra keys seal`: the key file of sealed heartbeats, made, and rolled in three steps."""

import os
import secrets
from pathlib import Path
from typing import Annotated

import typer

from libra_cli.exits import MISSING, CommandError
from libra_cli.options import Json
from libra_cli.output import print_json
from libra_runtime.kept import keep
from libra_schemas.seal_keys import KEY, added, dumps, parse, retired, switched

DEFAULT = Path("/etc/libra/seal.key")

keys = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Make and roll keys.")

_NEXT = {
    "made": "copy it to the other nodes (0600, root), then write `seal: {{key_file: {file}}}`",
    "added": "copy the file to every node; then `libra keys seal --switch {file}` on each",
    "switched": "when every node has switched: `libra keys seal --retire {file}` on each",
    "retired": "the old key is worth nothing once every node has retired it",
}


@keys.command()
def seal(
    file: Annotated[Path, typer.Argument(metavar="FILE", readable=False)] = DEFAULT,
    *,
    add: Annotated[
        bool, typer.Option("--add", help="Make a second key, accepted but not used yet.")
    ] = False,
    switch: Annotated[
        bool, typer.Option("--switch", help="Use the second key; the first is still accepted.")
    ] = False,
    retire: Annotated[
        bool, typer.Option("--retire", help="Drop the key that is not used any more.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make the key of sealed heartbeats, or roll it: --add, --switch, --retire, each on all."""
    if add + switch + retire > 1:
        raise typer.BadParameter("one step at a time: --add, --switch or --retire")
    try:
        did = _roll(file, add=add, switch=switch) if add or switch or retire else _make(file)
    except ValueError as wrong:
        raise CommandError(f"{file}: {wrong}") from None
    except OSError as wrong:
        raise CommandError(f"{file}: {wrong.strerror}", MISSING) from None
    if as_json:
        print_json({"file": str(file), "done": did})
    else:
        print(f"{file}: key {did}; {_NEXT[did].format(file=file)}")


def _make(file: Path) -> str:
    """Make a new file; one that exists is left alone, because whatever it holds is in use."""
    if os.path.lexists(file):
        raise CommandError(f"{file} exists and is left as it is: `--add` makes a second key in it")
    file.parent.mkdir(parents=True, exist_ok=True)
    keep(file, dumps((secrets.token_bytes(KEY),)).encode())
    return "made"


def _roll(file: Path, *, add: bool, switch: bool) -> str:
    held = parse(file.read_text(errors="replace"))
    if add:
        rolled, did = added(held, secrets.token_bytes(KEY)), "added"
    elif switch:
        rolled, did = switched(held), "switched"
    else:
        rolled, did = retired(held), "retired"
    keep(file.resolve(), dumps(rolled).encode())
    return did
