"""Run programs: to the end, or `ip` with many commands at once."""

import subprocess
from collections.abc import Iterable, Sequence


class CommandFailed(Exception):
    """A program that builds the lab said no; the message is its command line and its words."""


def run(argv: Sequence[str], text: str | None = None) -> str:
    """Run `argv` with `text` as its input and return what it printed; raise CommandFailed."""
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        told = done.stderr.strip() or done.stdout.strip() or f"exit status {done.returncode}"
        raise CommandFailed(f"{' '.join(argv)}: {told}" + (f"\nfor:\n{text}" if text else ""))
    return done.stdout


def ip(lines: Iterable[str], namespace: str | None = None) -> None:
    """Give all `lines` to one `ip -batch`, in `namespace` if named; raise CommandFailed."""
    batch = "\n".join(lines)
    if batch:
        where = [] if namespace is None else ["-n", namespace]
        run(["ip", *where, "-batch", "-"], batch + "\n")
