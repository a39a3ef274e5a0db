"""The standard topology of the demo and the tests: two directors, their servers and clients.

    clients --- outside 10.1.0.0/24 --- directors a, b --- inside 10.2.0.0/24 --- w1 w2 w3 sorry
                     |
                   u1 u2 (direct return)

The virtual addresses and the inside gateway address are held by nobody: giving them to a director
is the work of what is tested.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from libra_lab.node import Node
from libra_lab.topology import Topology
from libra_lab.wiring import director, dr_server, nat_server


@dataclass(frozen=True, slots=True)
class Plan:
    """The addresses of a pair; the last number of each is within `outside` or `inside`."""

    outside: str = "10.1.0"
    inside: str = "10.2.0"
    directors: Mapping[str, int] = field(default_factory=lambda: {"a": 2, "b": 3})
    web: Mapping[str, int] = field(default_factory=lambda: {"w1": 11, "w2": 12, "w3": 13})
    sorry: Mapping[str, int] = field(default_factory=lambda: {"sorry": 99})
    udp: Mapping[str, int] = field(default_factory=lambda: {"u1": 21, "u2": 22})
    clients: Mapping[str, int] = field(default_factory=lambda: {"client": 100})
    gateway: int = 1
    web_vip: int = 10
    udp_vip: int = 11

    def outer(self, number: int) -> str:
        """Return an address of the outside network."""
        return f"{self.outside}.{number}"

    def inner(self, number: int) -> str:
        """Return an address of the inside network."""
        return f"{self.inside}.{number}"


@dataclass(frozen=True, slots=True)
class Pair:
    """The built topology: every node by name, and the addresses that move."""

    topology: Topology
    plan: Plan
    directors: Mapping[str, Node]
    web: Mapping[str, Node]
    sorry: Mapping[str, Node]
    udp: Mapping[str, Node]
    clients: Mapping[str, Node]

    @property
    def web_vip(self) -> str:
        """The virtual address of the web service (NAT)."""
        return self.plan.outer(self.plan.web_vip)

    @property
    def udp_vip(self) -> str:
        """The virtual address of the UDP service (direct return)."""
        return self.plan.outer(self.plan.udp_vip)

    @property
    def gateway(self) -> str:
        """The inside address that the NAT servers answer through."""
        return self.plan.inner(self.plan.gateway)


@contextmanager
def pair(plan: Plan | None = None) -> Iterator[Pair]:
    """Build the pair that `plan` describes and remove it afterwards; needs root."""
    wanted = Plan() if plan is None else plan
    with Topology() as topology:
        yield build(topology, wanted)


def build(topology: Topology, plan: Plan) -> Pair:
    """Make the networks and nodes of `plan` in `topology`."""
    for network in ("outside", "inside"):
        topology.network(network)

    def outer(number: int) -> str:
        return f"{plan.outer(number)}/24"

    def inner(number: int) -> str:
        return f"{plan.inner(number)}/24"

    gateway, udp_vip = plan.inner(plan.gateway), plan.outer(plan.udp_vip)

    def behind_nat(names: Mapping[str, int]) -> dict[str, Node]:
        return {
            name: nat_server(topology, name, "inside", inner(number), gateway)
            for name, number in names.items()
        }

    return Pair(
        topology=topology,
        plan=plan,
        directors={
            name: director(
                topology,
                name,
                {"eth0": ("outside", outer(number)), "eth1": ("inside", inner(number))},
            )
            for name, number in plan.directors.items()
        },
        web=behind_nat(plan.web),
        sorry=behind_nat(plan.sorry),
        udp={
            name: dr_server(topology, name, "outside", outer(number), [udp_vip])
            for name, number in plan.udp.items()
        },
        clients={
            name: topology.node(name, {"eth0": ("outside", outer(number))})
            for name, number in plan.clients.items()
        },
    )
