"""The kernel's IPVS of this network namespace: read it, perform a plan, run its sync daemons.

The only place where the table is touched. Family lookup and sockets are our own here:
importing pyroute2 costs 0.15 s on a host and several times that in the lab's guest.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass

from libra_ipvs_writer import codec, daemons, usage
from libra_ipvs_writer.daemons import Daemon, Role, Timeouts
from libra_ipvs_writer.header import FAMILY
from libra_ipvs_writer.outcome import Result, due, judge
from libra_ipvs_writer.plan import Plan, Step
from libra_ipvs_writer.shell.wire import KernelUnavailable, Wire
from libra_ipvs_writer.usage import Counters, Usage
from libra_schemas.table import Destination, Service, ServiceKey, ServiceTable

READ_TRIES = 5


@dataclass(frozen=True, slots=True)
class Load:
    """What one service carries: its counters and those of its destinations by address, port."""

    counters: Counters
    destinations: Mapping[tuple[str, int], Usage]


class Kernel:
    """IPVS of the current network namespace; raise KernelUnavailable when it cannot be used."""

    def __init__(self) -> None:
        self._wire = Wire(FAMILY)

    def close(self) -> None:
        """Close the netlink socket."""
        self._wire.close()

    def read(self) -> dict[ServiceKey, ServiceTable]:
        """Read the whole table; read again while the services change meanwhile."""
        for _ in range(READ_TRIES):
            services = self.services()
            table = {
                service.key: ServiceTable.of(service, self.destinations(service.key))
                for service in services
            }
            if not services or set(self.services()) == set(services):
                return table
        raise KernelUnavailable("Somebody changes the IPVS table faster than it can be read.")

    def services(self) -> list[Service]:
        """List the services without their destinations."""
        return [
            codec.decode_service(payload)
            for payload in self._wire.dump(codec.list_services(), "list the services")
        ]

    def destinations(self, key: ServiceKey) -> list[Destination]:
        """List the destinations of one service; none where there is no such service."""
        return [codec.decode_destination(payload) for payload in self._destinations(key)]

    def _destinations(self, key: ServiceKey) -> list[bytes]:
        return self._wire.dump(codec.list_destinations(key), f"list the real servers of {key}")

    def loads(self, without: Container[ServiceKey] = ()) -> dict[ServiceKey, Load]:
        """Read the counters of every service and destination, but of those *without*."""
        payloads = self._wire.dump(codec.list_services(), "list the services")
        return {
            key: Load(usage.decode_counters(payload), self._usage(key))
            for payload in payloads
            for key in (codec.decode_service(payload).key,)
            if key not in without
        }

    def _usage(self, key: ServiceKey) -> dict[tuple[str, int], Usage]:
        return {
            codec.decode_destination(payload).key: usage.decode_usage(payload)
            for payload in self._destinations(key)
        }

    def perform(self, plan: Plan) -> list[Result]:
        """Perform *plan*: all additions, then the removals that their acks allow.

        A missing ack makes a result `unknown` and stops: read again and plan anew.
        Raise KernelUnavailable without the privilege to change the table.
        """
        results = self._send(plan.additive)
        go, cancelled = due(plan.destructive, results)
        return [*results, *self._send(tuple(go)), *cancelled]

    def _send(self, steps: tuple[Step, ...]) -> list[Result]:
        payloads = [codec.encode(step.operation) for step in steps]
        errnos = self._wire.send_all(payloads)
        for errno in {errno for errno in errnos if errno}:
            self._wire.permitted(errno)
        return judge(steps, errnos)

    def daemons(self) -> list[Daemon]:
        """List the running sync daemons."""
        payloads = self._wire.dump(daemons.list_daemons(), "list the sync daemons")
        return [daemons.decode_daemon(payload) for payload in payloads]

    def start_daemon(self, daemon: Daemon) -> None:
        """Start a sync daemon; raise KernelRefused (EEXIST: one of this role runs already)."""
        self._wire.ask(
            daemons.start_daemon(daemon), f"start the {daemon.role} daemon on {daemon.interface}"
        )

    def stop_daemon(self, role: Role) -> None:
        """Stop a sync daemon; raise KernelRefused (ESRCH: none of this role runs)."""
        self._wire.ask(daemons.stop_daemon(role), f"stop the {role} daemon")

    def timeouts(self) -> Timeouts:
        """Read the connection timeouts."""
        return daemons.decode_timeouts(
            self._wire.ask(daemons.get_timeouts(), "tell the timeouts")[0]
        )

    def set_timeouts(self, timeouts: Timeouts) -> None:
        """Set the connection timeouts."""
        self._wire.ask(daemons.set_timeouts(timeouts), "set the timeouts")
