"""Networks and machines in network namespaces, made by name and gone without a trace."""

import contextlib
import itertools
import os
import re
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from libra_lab.commands import CommandFailed, ip
from libra_lab.link import Link
from libra_lab.node import Node

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,14}\Z")
SWITCH = "switch"
_counter = itertools.count()


def unique_prefix() -> str:
    """Return a prefix for namespace names that no other topology on this kernel has."""
    return f"lab{os.getpid()}.{next(_counter)}."


def checked(name: str) -> str:
    """Return `name` if it can name a node or a network; raise ValueError otherwise."""
    if not NAME.match(name) or name == SWITCH:
        raise ValueError(f"{name!r} cannot name a part of a topology")
    return name


class Topology:
    """A set of networks and nodes; leaving its block removes every one of them.

    The networks are bridges in a namespace of their own, so that nothing of the kernel's first
    namespace is touched and several topologies can exist at once.
    """

    def __init__(self, prefix: str | None = None) -> None:
        self.prefix = unique_prefix() if prefix is None else prefix
        self.nodes: dict[str, Node] = {}
        self.networks: list[str] = []
        self._ports = itertools.count(1)

    @property
    def switch(self) -> str:
        """The namespace that holds the bridges."""
        return f"{self.prefix}{SWITCH}"

    def __enter__(self) -> Self:
        ip([f"netns add {self.switch}"])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Kill every process of every node and remove all namespaces."""
        failures = []
        for node in self.nodes.values():
            try:
                node.kill()
            except (OSError, TimeoutError) as error:
                failures.append(str(error))
        for namespace in [*(node.namespace for node in self.nodes.values()), self.switch]:
            with contextlib.suppress(CommandFailed):
                ip([f"netns del {namespace}"])
        self.nodes.clear()
        self.networks.clear()
        if failures:
            raise CommandFailed("; ".join(failures))

    def network(self, name: str) -> str:
        """Make a network (a bridge that learns at once and filters nothing); return its name."""
        ip(
            [
                f"link add name {checked(name)} type bridge stp_state 0 forward_delay 0",
                f"link set dev {name} type bridge mcast_snooping 0",
                f"link set dev {name} up",
            ],
            self.switch,
        )
        self.networks.append(name)
        return name

    def node(
        self,
        name: str,
        interfaces: Mapping[str, tuple[str, str | tuple[str, ...]]],
        *,
        gateway: str | None = None,
        sysctls: Mapping[str, str | int] | None = None,
    ) -> Node:
        """Make a node; `interfaces` maps each interface to its network and its addresses.

        Addresses carry their prefix length (`10.1.0.2/24`); `gateway` is the default route.
        """
        made = Node(checked(name), f"{self.prefix}{name}")
        ip([f"netns add {made.namespace}"])
        self.nodes[name] = made
        made.sysctl({"net.ipv6.conf.default.accept_dad": 0, **(sysctls or {})})
        made.ip("link set lo up")
        for interface, (network, addresses) in interfaces.items():
            self.plug(made, interface, network, addresses)
        if gateway is not None:
            made.ip(f"route add default via {gateway}")
        return made

    def plug(
        self, node: Node, interface: str, network: str, addresses: str | tuple[str, ...] = ()
    ) -> Link:
        """Connect a new interface of `node` to `network`; return the cable."""
        given = (addresses,) if isinstance(addresses, str) else addresses
        port = f"port{next(self._ports)}"
        node.ip(
            f"link add name {interface} type veth peer name {port} netns {self.switch}",
            f"link set dev {interface} up",
            *(f"addr add {address} dev {interface}" for address in given),
        )
        link = Link(node.namespace, interface, self.switch, port, network)
        link.heal()
        node.links[interface] = link
        node.addresses[interface] = given
        return link
