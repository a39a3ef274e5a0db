"""What operators hand over and take back, told to the machine."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import structlog

from libra_schemas.events import AdminState
from libra_vrrp.orders import Failover
from libra_vrrp.reports import Transition
from libra_vrrp.shell.line import Line
from libra_vrrp.wanted import failovers, releases
from libra_vrrp.why import Why

log = structlog.get_logger()


class Handover:
    """Which virtual routers are ours since when, and which failovers stand.

    A machine that is started again, or was in fault, knows nothing of what it is to leave alone.
    """

    def __init__(self, node: str, line: Line) -> None:
        self._node = node
        self._line = line
        self._routers: Mapping[str, str] = {}
        self._master_since: dict[str, float] = {}
        self._standing: dict[tuple[str, ...], AdminState] = {}
        self._held_until: dict[str, float] = {}

    def serve(self, routers: Mapping[str, str]) -> None:
        """Take part in these virtual routers from now on, each of the instance that is named."""
        self._routers = routers

    def note(self, report: Transition) -> None:
        """Remember since when a virtual router is ours; hold one back that forgot that it is."""
        if report.state == "master":
            self._master_since.setdefault(report.instance, time.monotonic() - report.took)
            self._held_until.pop(report.instance, None)
            return
        self._master_since.pop(report.instance, None)
        left = self._held_until.get(report.instance, 0.0) - time.monotonic()
        forgot = report.state == "backup" and report.why != Why.OPERATOR and not report.repeated
        if forgot and left > 0:
            log.info("holding back as before", instance=report.instance, hold=round(left, 3))
            self._line.send(Failover(report.instance, left))

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
            self._held_until[name] = time.monotonic() + hold
            self._line.send(order)
        for release in releases(admin, self._node, self._routers, self._standing.values()):
            self._held_until.pop(release.instance, None)
            self._line.send(release)

    def _since(self) -> dict[str, datetime]:
        """Say it in wall time: the clock may have been set since then."""
        wall, now = datetime.now(UTC), time.monotonic()
        ours = self._master_since.items()
        return {name: wall - timedelta(seconds=now - at) for name, at in ours}
