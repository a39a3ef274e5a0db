"""The reporter process: config and tracked events in, the machine's transitions out.

It works without privileges, and nothing it does or fails to do changes who is master.
"""

import asyncio
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from libra_runtime import logs, metrics
from libra_runtime.journal import CaughtUp, Stored
from libra_runtime.keeping import Keeping
from libra_runtime.nats_journal import open_journal
from libra_runtime.run import run
from libra_runtime.settings import Edge
from libra_schemas.envelope import Event
from libra_schemas.errors import LibraError
from libra_schemas.events import AdminState, ConfigApplied
from libra_vrrp import kept
from libra_vrrp.orders import Instance, Routers, Taken
from libra_vrrp.reports import Awake, Farewell, Numbered, Reread, Statistics, Transition
from libra_vrrp.settings import from_environment
from libra_vrrp.shell import say
from libra_vrrp.shell.handover import Handover
from libra_vrrp.shell.intake import Intake
from libra_vrrp.shell.line import Line
from libra_vrrp.shell.privileges import REPORTER, die_with_parent, keep_out, lacking
from libra_vrrp.shell.publishing import Publishing
from libra_vrrp.shell.quarters import explained, list_mode, move_in
from libra_vrrp.shell.source import Record, Source
from libra_vrrp.shell.standing_by import stand_by
from libra_vrrp.shell.strays import adopt
from libra_vrrp.shell.tracked import Tracked
from libra_vrrp.wanted import instances_of, tracks

if TYPE_CHECKING:
    from libra_vrrp.shell.meters import Meters

log = structlog.get_logger()

SILENCE: Final = 10.0
"""Seconds without a word of the machine after which /healthz complains."""
MUTE: Final = (
    "the machine has not been heard for {:.0f} s: its lines in this log say why; if there are none "
    "it hangs, so restart libra-vrrp"
)


class Over(Exception):
    """There is no machine any more, and none will follow."""


class Reporter:
    """Between the log and the machine; `file` is the machine's list of routers."""

    def __init__(self, node: str, file: Path, line: Line, record: Record, source: Source) -> None:
        self._node = node
        self._kept = Keeping(file, _unkept, self._hand_over, mode=list_mode())
        self._line = line
        self._record = record
        self._source = source
        self._publishing = Publishing(record, source)
        self._meters: Meters | None = None
        self._found: tuple[Instance, ...] = ()
        self._tracked = Tracked(line, node, file.with_name("tracked.json"))
        self._handover = Handover(node, line)
        self._taken: tuple[str, int] = ("", 0)
        self._heard_at = time.monotonic()
        self._faults: dict[str, str] = {}

    async def run(self, metrics_port: int) -> None:
        """Run until cancelled, or until the machine has ended for good (an `Over` in a group)."""
        if metrics_port:
            from libra_vrrp.shell.meters import Meters  # noqa: PLC0415 - slow, if scraped at all

            self._meters = Meters()
        self._line.greet()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen())
            group.create_task(self._follow())
            group.create_task(self._source.tend(self._take_config))
            group.create_task(self._kept.run())
            group.create_task(self._tracked.run())
            group.create_task(metrics.serve(metrics_port, self._trouble))

    def drain(self) -> None:
        """Publish what the machine has said by now: its last words."""
        for numbered in self._line.waiting():
            self._take(numbered)

    async def _listen(self) -> None:
        async for numbered in self._line.reports():
            match numbered.report:
                case Farewell():
                    raise Over
                case Reread():
                    self._source.ask()
                case _:
                    self._take(numbered)
        raise Over

    def _take(self, numbered: Numbered) -> None:
        """Publish a report once, and tell the machine that it is in safe hands."""
        self._heard_at = time.monotonic()
        if self._line.has_lost():
            self._line.send(Routers())
            self._tracked.tell()
        boot, number = numbered.boot, numbered.number
        match numbered.report:
            case Awake():
                self._tracked.tell()
            case Transition() as transition:
                self._fault_of(transition)
                self._show(transition)
                self._handover.note(transition)
            case Statistics() as statistics:
                self._show(statistics)
        if number and (self._taken[0] != boot or number > self._taken[1]):
            self._publishing.publish(numbered.report)
            self._taken = boot, number
        if number:
            self._line.send(Taken(boot, number))

    def _fault_of(self, transition: Transition) -> None:
        self._faults.pop(transition.instance, None)
        if transition.state == "fault":
            self._faults[transition.instance] = transition.detail

    def _show(self, report: Transition | Statistics) -> None:
        if self._meters is not None:
            self._meters.show(report)

    async def _follow(self) -> None:
        caught_up = False
        async for item in self._record.follow(*self._source.followed):
            match item:
                case CaughtUp():
                    caught_up = True
                    await self._take_config()
                    self._tracked.tell()
                case Stored(event=Event(data=ConfigApplied())):
                    self._source.note(item)
                    if caught_up:
                        await self._take_config()
                case Stored(event=Event(data=AdminState() as admin, time=decided)):
                    if caught_up:
                        self._handover.take(admin, decided)
                    else:
                        self._handover.remember(admin)
                case Stored():
                    self._tracked.take(item)

    async def _take_config(self) -> None:
        """Hand the newest config to the machine; one that cannot be held changes nothing."""
        taken = await self._source.take()
        if taken is None:
            return
        config, self._found = taken
        routers = {one.name: instances_of(config)[one.name] for one in self._found}
        self._faults = {name: why for name, why in self._faults.items() if name in routers}
        self._handover.serve(routers)
        self._kept.put(kept.dump_instances(self._found))
        self._tracked.weigh_by(tracks(config, self._node))

    def _hand_over(self) -> None:
        """Tell the machine to look: the list is where it finds it, also without us."""
        self._line.send(Routers())
        self._tracked.tell()
        log.info("routers handed over", instances=[one.name for one in self._found])

    def _trouble(self) -> str | None:
        if (silent := time.monotonic() - self._heard_at) > SILENCE:
            return MUTE.format(silent)
        faults = (f"{name} is in fault: {why}" for name, why in self._faults.items())
        waits = self._source.trouble or self._kept.trouble or self._record.trouble
        return waits or self._tracked.trouble or "; ".join(faults) or None


def _unkept(why: str) -> None:
    log.error("the routers cannot be kept, the machine goes on as it was until then", why=why)


async def report(edge: Edge, file: Path, machine: socket.socket, config: Path | None) -> None:
    """Be the reporter of this node until cancelled; alone where there is a `config` file."""
    logs.configure("vrrp", edge.node, edge.log_level)
    line, asked = Line(machine), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, asked.set)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    opening = asyncio.ensure_future(_opened(edge, config, asked))
    reporter: Reporter | None = None
    try:
        await asyncio.shield(opening)
        reporter = Reporter(edge.node, file, line, *opening.result())
        await reporter.run(edge.metrics_port)
    except* Over:
        pass
    finally:  # what the machine said while the log was opened is spooled, not lost
        record, source = await opening
        (reporter or Reporter(edge.node, file, line, record, source)).drain()
        await record.close()


async def _opened(edge: Edge, config: Path | None, asked: asyncio.Event) -> tuple[Record, Source]:
    if config is None:
        journal = await open_journal(edge)
        return journal, Intake(edge.node, journal, asked)
    from libra_vrrp.shell.alone import opened  # noqa: PLC0415 - YAML, for who reads a file
    from libra_vrrp.shell.file_intake import FileIntake  # noqa: PLC0415 - the same

    named = bool(os.environ.get("LIBRA_NATS"))
    return opened(edge, named=named), FileIntake(edge.node, config, asked)


def main(arguments: list[str]) -> None:
    """Run the reporter: ROUTERS-FILE MACHINE-FD [CONFIG-FILE]."""
    die_with_parent(signal.SIGTERM)
    signal.pthread_sigmask(signal.SIG_SETMASK, [signal.SIGHUP])  # until there is who hears it
    file, descriptor, *config = arguments
    machine, alone = socket.socket(fileno=int(descriptor)), Path(config[0]) if config else None
    settings = from_environment([])
    if (trouble := lacking(REPORTER)) is not None and os.geteuid() != settings.uid:
        stand_by(trouble, machine)
    try:
        edge = Edge.from_environment("vrrp")
        if alone is not None:
            from libra_vrrp.shell.alone import prepared  # noqa: PLC0415 - see _opened

            edge = prepared(edge)
        edge = move_in(edge, settings.directory, settings.uid)
    except (LibraError, OSError) as wrong:
        say.log("the reporter cannot work", "error", why=explained(wrong))
        sys.exit(1)
    keep_out()
    adopt()
    die_with_parent(signal.SIGTERM)
    sys.exit(run(lambda: report(edge, Path(Path(file).name), machine, alone)))
