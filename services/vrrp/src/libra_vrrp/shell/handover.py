"""What operators hand over and take back, told to the machine."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import structlog

from libra_schemas.events import AdminState
from libra_vrrp.reports import Transition
from libra_vrrp.shell.line import Line
from libra_vrrp.wanted import failovers, releases

log = structlog.get_logger()


class Handover:
    """Which virtual routers are ours since when, and which failovers stand."""

    def __init__(self, node: str, line: Line) -> None:
        self._node = node
        self._line = line
        self._routers: Mapping[str, str] = {}
        self._master_since: dict[str, float] = {}
        self._standing: dict[tuple[str, ...], AdminState] = {}

    def serve(self, routers: Mapping[str, str]) -> None:
        """Take part in these virtual routers from now on, each of the instance that is named."""
        self._routers = routers

    def note(self, report: Transition) -> None:
        """Remember since when a virtual router is ours."""
        if report.state == "master":
            self._master_since.setdefault(report.instance, time.monotonic() - report.took)
        else:
            self._master_since.pop(report.instance, None)

    def remember(self, admin: AdminState) -> None:
        """Know which failovers stand, without a word to the machine."""
        if admin.failover:
            self._standing[admin.entity] = admin
        else:
            self._standing.pop(admin.entity, None)

    def take(self, admin: AdminState, decided: datetime) -> None:
        """Have given up, or held back no more, what an operator names."""
        self.remember(admin)
        for order in failovers(admin, decided, self._node, self._routers, self._since()):
            name, hold = order.instance, order.hold
            log.info("giving up", instance=name, hold=hold, who=admin.who, why=admin.why)
            self._line.send(order)
        for release in releases(admin, self._node, self._routers, self._standing.values()):
            self._line.send(release)

    def _since(self) -> dict[str, datetime]:
        """Say it in wall time: the clock may have been set since then."""
        wall, now = datetime.now(UTC), time.monotonic()
        ours = self._master_since.items()
        return {name: wall - timedelta(seconds=now - at) for name, at in ours}
