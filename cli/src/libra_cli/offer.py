"""Offering a config file to the console: taken over only where design §10's rule says so."""

import asyncio
import sys
import time
from dataclasses import asdict, dataclass
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Any

from libra_cli.exits import UNREACHABLE, CommandError
from libra_cli.gateway import ask
from libra_cli.site import Site
from libra_schemas.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Offer:
    """A parsed config, the file it is from, and which command offers it."""

    document: dict[str, Any]
    file: Path
    author: str


class Declined(CommandError):
    """The file is not taken over, by the rule; nothing is wrong."""


async def offer(site: Site, what: Offer) -> dict[str, Any]:
    """Offer *what*; return the console's answer; raise Declined, or CommandError with why."""
    request = {
        "document": what.document,
        "author": what.author,
        "file": str(what.file),
        "rule": "changed",
    }
    status, answer = await asyncio.to_thread(ask, site, "POST", "/v1/config", request)
    if status == HTTPStatus.CONFLICT:
        raise Declined(f"the config was not changed: {answer['error']}")
    if "error" in answer:
        problems = [f"\n  {each['path']}: {each['message']}" for each in answer.get("problems", ())]
        sentence = f"the config was not changed ({status}): {answer['error']}"
        raise CommandError(sentence + "".join(problems))
    return answer


def tell_refused(site: Site, file: Path, author: str, error: ConfigError) -> None:
    """Have the log say that *file* was refused; where it cannot, say so and no more."""
    try:
        hash_ = sha256(file.read_bytes()).hexdigest()
    except OSError:
        return
    request = {"hash": hash_, "problems": [asdict(p) for p in error.problems], "author": author}
    try:
        _, answer = ask(site, "POST", "/v1/config/rejected", request)
    except CommandError as gone:
        answer = {"unlogged": str(gone)}
    if answer.get("sequence") is None:
        why = answer.get("unlogged") or answer.get("error")
        sys.stderr.write(f"libra: the log does not tell of this: {why}\n")


async def await_console(site: Site, patience: float) -> None:
    """Wait until the console is healthy, *patience* seconds at most; raise CommandError."""
    deadline = time.monotonic() + patience
    while True:
        try:
            status, answer = await asyncio.to_thread(ask, site, "GET", "/healthz")
            trouble = answer.get("error", "it is not healthy")
        except CommandError as error:
            status, trouble = 0, str(error)
        if status == HTTPStatus.OK:
            return
        if time.monotonic() >= deadline:
            raise CommandError(
                f"the console is not ready after {patience:g} s: {trouble}", UNREACHABLE
            )
        await asyncio.sleep(0.1)
