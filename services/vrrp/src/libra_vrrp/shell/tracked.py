"""What is known of tracked objects, told to the machine: the last value holds."""

import asyncio
import contextlib
import json
import time
from collections.abc import Mapping
from pathlib import Path

import structlog

from libra_runtime.journal import Stored
from libra_runtime.keeping import Keeping
from libra_runtime.leftovers import mark_of, sweep
from libra_schemas.config import Track
from libra_schemas.events import FreshState, ServiceState
from libra_vrrp import standing
from libra_vrrp.orders import Coverage
from libra_vrrp.orders import Tracked as Order
from libra_vrrp.shell.line import Line
from libra_vrrp.shell.program import MARK, environment
from libra_vrrp.shell.watchers import Watchers
from libra_vrrp.standing import Standing
from libra_vrrp.watched import Verdict, Watch, seen, watches

log = structlog.get_logger()


class Tracked:
    """The newest state of every tracked object, weighed as the config says.

    What is to be tracked is kept in `file`, so that a reporter without NATS tracks it too.
    """

    def __init__(self, line: Line, node: str, file: Path) -> None:
        self._line = line
        self._kept = Keeping(file, _unkept)
        self._mark = mark_of(file.parent)
        self._watchers = Watchers(self._judged, environment(node, self._mark))
        self._tracks: Mapping[str, Track] = {}
        self._verdicts: dict[Watch, Verdict] = {}
        self._services: dict[str, ServiceState] = {}
        self._knows_services = False
        self._standing = Standing()
        self._told: dict[str, Order] = {}
        self._changed = asyncio.Event()
        self._fresh: FreshState | None = None
        self._file = file

    @property
    def trouble(self) -> str | None:
        """Say what keeps objects from being tracked."""
        return self._kept.trouble or self._watchers.trouble

    async def run(self) -> None:
        """Track, until cancelled: first what the config before said."""
        if killed := sweep(MARK, self._mark):
            log.warning("programs of an earlier reporter killed", pids=killed)
        if not self._tracks:
            self._serve(self._read())
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watchers.run())
            group.create_task(self._kept.run())
            while True:
                self._changed.clear()
                self._look()
                wait = self._standing.due - time.monotonic()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(None if wait == float("inf") else max(wait, 0)):
                        await self._changed.wait()

    def weigh_by(self, tracks: Mapping[str, Track]) -> None:
        """Track this from now on, by instance; what the log says of services is known by now."""
        known = {name: track.model_dump(mode="json") for name, track in tracks.items()}
        self._kept.put(json.dumps(known).encode())
        self._knows_services = True
        self._serve(tracks)
        self._look()

    def take(self, stored: Stored) -> None:
        """Take in an event; the machine is told at once."""
        match stored.event.data:
            case ServiceState() as state:
                self._services[state.service] = state
                self._look()
            case FreshState() as state:
                self._fresh = state
                self._look()
                self._line.send(Coverage(state.coverage))
            case _:
                log.debug("passed over", subject=str(stored.subject))

    def tell(self) -> None:
        """Tell the machine everything."""
        self._told.clear()
        self._look()
        self._line.send(Coverage(None if self._fresh is None else self._fresh.coverage))

    def _serve(self, tracks: Mapping[str, Track]) -> None:
        self._tracks = tracks
        wanted = watches(tracks.values())
        self._verdicts = {one: said for one, said in self._verdicts.items() if one in wanted}
        self._watchers.serve(wanted)

    def _judged(self, watch: Watch, said: Verdict) -> None:
        if self._verdicts.get(watch) != said:
            self._verdicts[watch] = said
            self._look()

    def _look(self) -> None:
        """Let what is seen count, and tell the machine what is new."""
        services = self._services if self._knows_services else {}
        sight = {
            name: seen(track, self._verdicts, services, self._fresh)
            for name, track in self._tracks.items()
        }
        due = self._standing.due
        self._told = {name: said for name, said in self._told.items() if name in sight}
        self._standing = standing.look(self._standing, sight, time.monotonic())
        for order in standing.orders(self._standing, sight):
            if self._told.get(order.instance) != order:
                self._told[order.instance] = order
                self._line.send(order)
        if self._standing.due != due:
            self._changed.set()

    def _read(self) -> Mapping[str, Track]:
        try:
            known = json.loads(self._file.read_bytes())
            return {str(name): Track.model_validate(track) for name, track in known.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, AttributeError) as wrong:
            log.warning("what was tracked before is not known", why=str(wrong))
            return {}


def _unkept(why: str) -> None:
    log.error("what is tracked cannot be kept, it is tracked all the same", why=why)
