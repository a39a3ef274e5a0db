"""`libra-health probe`: every check of a config once, told in JSON lines on standard output.

A line per check (libra_health.rows); with `--trace` before it a line per thing asked and heard;
`{"error": SENTENCE}` alone where nothing can be run. What is found does not change the exit status.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from libra_health.dialogue import dialogue_of, tell
from libra_health.outcome import Outcome
from libra_health.rows import row_of, rows_of, unchecked, watch_of
from libra_health.settings import Settings
from libra_health.shell.once import Once
from libra_health.shell.service import raise_descriptor_limit
from libra_health.verdict import Lookout, Watch
from libra_health.watches import watches_of
from libra_health.wire import Effect, Input
from libra_runtime.kept import kept
from libra_runtime.run import REFUSED
from libra_runtime.stdout import watched
from libra_runtime.yaml_config import read_config
from libra_schemas.config import Config
from libra_schemas.errors import LibraError
from libra_schemas.events import ConfigApplied
from libra_schemas.load import config_from, config_of

STDIN: Final = "-"


class NoConfig(LibraError):
    """There is nothing to go by."""


def main(arguments: Sequence[str]) -> int:
    """Run what is asked for; return the exit status."""
    with watched("libra-health"):
        return _main(arguments)


def _main(arguments: Sequence[str]) -> int:
    given = _parser().parse_args(arguments)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    raise_descriptor_limit()
    try:
        node, config = _config(given.config, given.node)
        watches = watches_of(config, node)
        chosen = (watch_of(watches, given.backend),) if given.backend else watches
    except (LibraError, ValueError) as error:
        _say({"error": str(error)})
        return REFUSED
    if given.trace:
        _trace(chosen)
    else:
        _run(chosen)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("libra-health probe", description="Run every check once.")
    parser.add_argument("--config", help="YAML file, - for JSON on stdin (default: the kept one).")
    parser.add_argument("--node", default="", help="From which node (LIBRA_NODE).")
    parser.add_argument("--backend", metavar="SERVICE/BACKEND", help="Only this one.")
    parser.add_argument("--trace", action="store_true", help="Tell what is asked and heard.")
    return parser


def _config(file: str | None, node: str) -> tuple[str, Config]:
    """Read the config as the service does: from a file, from stdin, or what the service keeps."""
    if file is None:
        settings = Settings.from_environment()
        content = kept(settings.kept_config)
        if content is None:
            raise NoConfig(f"{settings.kept_config} is not there yet: name a file with --config")
        applied = ConfigApplied.model_validate_json(content)
        return node or settings.edge.node, config_of(applied)[0]
    named = node or Settings.from_environment().edge.node
    if file == STDIN:
        return named, config_from(json.load(sys.stdin))
    return named, read_config(Path(file))[0]


def _run(watches: Sequence[Watch]) -> None:
    once = Once(lookout.probe for watch in watches for lookout in watch.lookouts)
    once.run()
    for watch in watches:
        for row in rows_of(watch, once.of):
            _say(row)


def _trace(watches: Sequence[Watch]) -> None:
    """Run one check after the other: each is told as it goes on."""
    for watch in watches:
        if not watch.lookouts:
            _say(unchecked(watch))
        for lookout in watch.lookouts:
            teller = Teller(lookout)
            once = Once((lookout.probe,), teller.take)
            once.run()
            outcome = once.of(lookout.probe)
            _say(row_of(watch, lookout, outcome, teller.dialogue))


class Teller:
    """Says what one check asks and hears; `dialogue` is what was told so far."""

    def __init__(self, lookout: Lookout) -> None:
        self.dialogue = dialogue_of(lookout.probe.kind)
        self._lookout = lookout
        self._began: float | None = None

    def take(self, now: float, event: Effect | Input | Outcome) -> None:
        """Take note of what the driver tells; called in its thread."""
        if not isinstance(event, Effect | Input):
            return
        began = self._began = now if self._began is None else self._began
        self.dialogue, lines = tell(self.dialogue, event)
        for line in lines:
            at = round((now - began) * 1000, 1)
            _say({"check": self._lookout.label, "at_ms": at, "line": line})


def _say(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()
