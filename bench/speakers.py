"""Who speaks VRRP on a node: LibrA or keepalived, with the same routers."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from typing import Protocol

from tests.kernel.conftest import Director

from bench.keepalived import Running, children, keepalived, wait_for
from libra_lab.node import Node
from libra_vrrp.orders import Instance, Place
from libra_vrrp.router import Never
from libra_vrrp.tether.ends import Ends

PRIORITY = 100
QUIET = ("sh", "-c", 'exec "$@" 2>/dev/null', "sh")
ALIKE = """
vrrp_instance front{vrid} {{
  state BACKUP
  nopreempt
  interface eth0
  virtual_router_id {vrid}
  version 3
  priority {priority}
  advert_int {interval}
  virtual_ipaddress {{
    {address}/32 dev eth0
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Router:
    """A virtual router with one address."""

    vrid: int
    address: IPv4Address


class Speaker(Protocol):
    """A node that speaks VRRP; a master of any priority is left alone."""

    @property
    def node(self) -> Node:
        """The node it is."""

    def start(self) -> None:
        """Start it."""

    def stop(self) -> None:
        """End it in order."""

    def processes(self) -> dict[str, int]:
        """Return its processes: who speaks first, then who started that one, then the others."""


@dataclass(slots=True)
class Libra:
    """libra-vrrp with its guard and its reporter, without NATS."""

    director: Director

    @classmethod
    def of(
        cls,
        node: Node,
        routers: Sequence[Router],
        interval: float,
        state: Path,
        tether: Ends | None = None,
    ) -> "Libra":
        """Write the list of routers into a directory of the node's own."""
        first, *others = (
            Instance(
                f"front{router.vrid}",
                "eth0",
                router.vrid,
                PRIORITY,
                (Place("eth0", router.address),),
                interval=interval,
                preempt=Never(),
                tether=tether,
            )
            for router in routers
        )
        director = Director(node, state / node.name, first, wrapper=QUIET, others=tuple(others))
        director.write()
        return cls(director)

    @property
    def node(self) -> Node:
        """The node it is."""
        return self.director.node

    def start(self) -> None:
        """Start it."""
        self.director.start()
        wait_for(lambda: self.director.pid("machine") is not None, 0.01, "the machine starts")

    def stop(self) -> None:
        """End it in order."""
        self.director.stop()

    def processes(self) -> dict[str, int]:
        """Return the machine, the guard and the reporter."""
        machine, reporter = self.director.pid("machine"), self.director.pid("reporter")
        if machine is None or reporter is None or self.director.parent is None:
            raise RuntimeError("libra-vrrp is not complete")
        return {"machine": machine, "guard": self.director.parent.pid, "reporter": reporter}


@dataclass(slots=True)
class Keepalived:
    """keepalived with its vrrp process; *more* are its global settings."""

    node: Node
    routers: Sequence[Router]
    interval: float
    more: str = ""
    running: Running | None = None
    stack: ExitStack = field(default_factory=ExitStack)

    def start(self) -> None:
        """Start it."""
        config = f"global_defs {{\n{self.more}\n}}\n" + "".join(
            ALIKE.format(
                vrid=router.vrid, priority=PRIORITY, interval=self.interval, address=router.address
            )
            for router in self.routers
        )
        options = ("--vrrp", "--log-console")
        self.running = self.stack.enter_context(keepalived(config, *options, node=self.node))
        pid = self.running.pid
        wait_for(lambda: bool(children(pid)), 0.01, "keepalived starts its vrrp process")

    def stop(self) -> None:
        """End it in order."""
        self.stack.close()

    def processes(self) -> dict[str, int]:
        """Return the vrrp process and its parent."""
        if self.running is None:
            raise RuntimeError("keepalived does not run")
        return {"vrrp": children(self.running.pid)[0], "parent": self.running.pid}
