"""What the log says of tracked objects, told to the machine: the last value holds."""

import structlog

from libra_runtime.journal import Stored
from libra_schemas.config import Config
from libra_schemas.events import FreshState, ServiceState
from libra_vrrp.orders import Coverage
from libra_vrrp.shell.line import Line
from libra_vrrp.wanted import FRESH, deltas

log = structlog.get_logger()


class Tracked:
    """The newest state of every service, weighed as the config says."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._config: Config | None = None
        self._services: dict[str, ServiceState] = {}
        self._is_fresh = False

    def weigh_by(self, config: Config) -> None:
        """Weigh by another config from now on."""
        self._config = config
        self.tell()

    def take(self, stored: Stored) -> None:
        """Take in an event; the machine is told at once."""
        match stored.event.data:
            case ServiceState() as state:
                self._services[state.service] = state
                self.tell()
            case FreshState() as state:
                self._is_fresh = state.coverage >= FRESH
                self.tell()
            case _:
                log.debug("passed over", subject=str(stored.subject))

    def tell(self) -> None:
        """Tell the machine every value."""
        if self._config is not None:
            for delta in deltas(self._config, self._services):
                self._line.send(delta)
        self._line.send(Coverage(self._is_fresh))
