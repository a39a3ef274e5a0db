"""Checks run once on this host, by the health service's own program and with its rights."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from libra_cli import identity
from libra_cli.exits import BROKEN, MISSING, UNREACHABLE, CommandError
from libra_cli.gateway import ask, require
from libra_cli.identity import Identity
from libra_cli.node import program_of
from libra_cli.site import Site
from libra_cli.supervise import Program, confined
from libra_schemas.load import config_from
from libra_schemas.marks import is_marking


def run(document: dict[str, Any], node: str, *options: str) -> Iterator[dict[str, Any]]:
    """Give what libra-health says as it says it; raise CommandError where it cannot be asked."""
    argv = (_program(), "probe", "--config", "-", "--node", node, *options)
    with _start(argv, marks=is_marking(config_from(document))) as process:
        try:
            _give(process.stdin, document)
            for line in process.stdout or ():
                yield _heard(line)
            status = process.wait()
        finally:
            process.kill()
    if status:
        raise CommandError(f"libra-health ended with status {status}", BROKEN)


def document_in_force(site: Site) -> dict[str, Any]:
    """Ask the console for the config in force; raise CommandError where there is none."""
    try:
        document: dict[str, Any] = require(ask(site, "GET", "/v1/config"))["document"]
    except CommandError as error:
        if error.status != UNREACHABLE:
            raise
        raise CommandError(
            f"{error}; or name a file with --config FILE, which needs no console", error.status
        ) from None
    return document


def _heard(line: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(line)
    if "error" in said:
        raise CommandError(said["error"])
    return said


def _program() -> str:
    program = program_of("health")
    if not Path(program).exists():
        raise CommandError(
            f"{program}, which runs the checks, is not there: install libra-health beside libra; "
            "where it is in a container, `docker compose exec health libra-health probe` does it",
            MISSING,
        )
    return program


def _start(argv: tuple[str, ...], *, marks: bool) -> "subprocess.Popen[str]":
    who = _who()
    capabilities = identity.capabilities("health", who, marks=marks)
    program = Program("health", argv, os.environ, who, capabilities=capabilities)
    change = who != identity.own() and not capabilities
    return subprocess.Popen(
        confined(program) if capabilities else argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd="/",
        user=who.uid if change else None,
        group=who.gid if change else None,
        extra_groups=[who.gid] if change else None,
    )


def _who() -> Identity:
    """Choose as whom the service runs: what it may not do or read, these checks may not either."""
    wanted = identity.chosen("health")
    hidden = identity.reachable(wanted, identity.code())
    if hidden is None:
        return wanted
    sys.stderr.write(f"libra: the checks run as root: uid {wanted.uid} may not read {hidden}\n")
    return Identity(0, wanted.gid)


def _give(pipe: IO[str] | None, document: dict[str, Any]) -> None:
    if pipe is not None:
        with suppress(BrokenPipeError), pipe:
            json.dump(document, pipe)
