"""Virtual routers: `instances: {front: {interface: eth0, vrid: 51, ...}}`."""

from ipaddress import IPv4Address, IPv6Address, ip_interface
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, StrictInt

from libra_schemas.config.fields import Duration, Interface, InterfaceAddress
from libra_schemas.config.routing import VirtualRoute, VirtualRule
from libra_schemas.config.times import Interval, Lease
from libra_schemas.config.track import Track
from libra_schemas.model import Address, Name, Strict

Priority = Annotated[StrictInt, Field(ge=1, le=255)]
Family = Literal["ipv4", "ipv6"]
SUFFIX_IPV6 = "-ipv6"
"""Ends the name of the IPv6 router of an instance that has one of IPv4 too."""


class AddressElsewhere(Strict):
    """A virtual address that lives on another interface than the instance's."""

    address: InterfaceAddress
    """The virtual address with its prefix length."""
    interface: Interface
    """The interface that it is put on."""


VirtualAddress = InterfaceAddress | AddressElsewhere


def virtual_address(written: VirtualAddress) -> IPv4Address | IPv6Address:
    """Give the address of an entry of `addresses` or `excluded`, without its prefix length."""
    text = written.address if isinstance(written, AddressElsewhere) else written
    return ip_interface(text).ip


def prefix_of(written: VirtualAddress) -> int | None:
    """Give the prefix length of an entry, None where it is one host's."""
    text = written.address if isinstance(written, AddressElsewhere) else written
    network = ip_interface(text).network
    return None if network.prefixlen == network.max_prefixlen else network.prefixlen


def family_of(written: VirtualAddress) -> Family:
    """Tell the address family of an entry of `addresses` or `excluded`."""
    return "ipv4" if isinstance(virtual_address(written), IPv4Address) else "ipv6"


class Garp(Strict):
    """Gratuitous ARP of a master, for IPv6 unsolicited neighbour advertisements."""

    repeat: Annotated[StrictInt, Field(ge=1, le=50)] = 5
    """Frames per address when it becomes master, and as many again after `delay`."""
    delay: Duration = 5.0
    """Time from the first frames to the second."""
    refresh: Duration = 0.0
    """Time between further frames while it is master; 0 sends none."""


def _absolute(value: str) -> str:
    if not value.startswith("/"):
        raise ValueError("must be an absolute path")
    return value


AbsolutePath = Annotated[str, AfterValidator(_absolute)]


class SealConfig(Strict):
    """Sealed heartbeats: adverts travel encrypted, and nothing old or forged has an effect."""

    key_file: Annotated[AbsolutePath, Field(examples=["/etc/libra/seal.key"])]
    """The file that `libra keys seal` makes, the same on all nodes, owned by root with mode 0600;
    it is read anew when it changes.
    """
    mode: Literal["required", "accept"] = "required"
    """`required` says and hears sealed adverts alone; `accept` says and hears plain ones too, on
    the way from plain to sealed.
    """


def _says_how(value: object) -> object:
    """Refuse a seal of which nothing is said: it would be none, and nobody would know."""
    if value is None:
        raise ValueError(
            "is empty; name its key, as in {key_file: /etc/libra/seal.key}, or leave it out"
        )
    return value


class VmacConfig(Strict):
    """The virtual router's own MAC address, on an interface of its own."""

    name: Interface | None = None
    """The interface's name; that of the IPv6 router is `NAME-6` beside one of IPv4. Without it:
    `vrrp4-VRID` and `vrrp6-VRID`.
    """
    xmit_base: StrictBool = False
    """Adverts come from the MAC of the instance's interface, as `unicast` ones have to."""


class InstanceConfig(Strict):
    """One virtual router (RFC 9568) and the addresses it owns while master."""

    interface: Interface | dict[Name, Interface]
    """Where adverts are sent and addresses are put, one name or one per node."""
    vrid: Annotated[StrictInt, Field(ge=1, le=255)]
    """The virtual router's number: the same on all its nodes, used once per network."""
    version: Literal[2, 3] = 3
    """The version of VRRP: the same on all its nodes and their peers. 2 is for IPv4 and older
    routers: whole seconds, and perhaps a password.
    """
    auth_file: AbsolutePath | None = None
    """The file that holds the password of version 2 (keepalived's `auth_type PASS`), 1 to 8 octets,
    readable by LibrA's group or by uid 65534. It travels in clear: it keeps out mistakes, not
    attackers.
    """
    unicast: StrictBool | dict[Name, Address | tuple[Address, ...]] = False
    """Adverts go to the other nodes alone, not to the multicast group: `true` to their `address`
    under `nodes`, or to one per node, or per node and family: `{a: [10.0.0.1, 2001:db8::1]}`.
    Nobody else is listened to.
    """
    interval: Interval = 1.0
    """Time between two adverts, 10ms to 40.95s (version 2: whole seconds, 1s to 255s); after about
    three without one a backup takes over.
    """
    priority: Priority | dict[Name, Priority] = 100
    """One for all nodes or one per node: the highest becomes master, a node without one takes
    no part; 255, of one node at most, takes over whatever `preempt` says.
    """
    addresses: Annotated[tuple[VirtualAddress, ...], Field(min_length=1, max_length=255)]
    """The virtual addresses as adverts list them; one on another interface is written `{address:
    10.0.1.1/24, interface: eth1}`, IPv4 beside IPv6 makes two routers that move together.
    """
    excluded: Annotated[tuple[VirtualAddress, ...], Field(max_length=1000)] = ()
    """Further virtual addresses that no advert lists: more than fit there, or those of the other
    family where they need no router of their own.
    """
    connected: StrictBool = False
    """Virtual addresses bring the network of their prefix length along, as the host's own do;
    without it each is held as `/32` or `/128`, whatever is written.
    """
    vmac: StrictBool | VmacConfig = False
    """The master answers for its addresses with the virtual router's MAC (`00:00:5e:00:01:VRID`,
    IPv6 `00:00:5e:00:02:VRID`), so that neighbours notice no failover: `true`, or with the keys
    below.
    """
    routes: Annotated[tuple[VirtualRoute, ...], Field(max_length=255)] = ()
    """Routes that the master has and nobody else."""
    rules: Annotated[tuple[VirtualRule, ...], Field(max_length=255)] = ()
    """Rules of policy routing that the master has and nobody else."""
    preempt: StrictBool | Literal["when-synced"] | Duration = "when-synced"
    """When it takes over from a working master of lower priority: `true` once it hears one, `false`
    never, a duration after it, `when-synced` with its connections or in 60 s ([in
    full](../services/vrrp/README.md#preemption)).
    """
    start_delay: Duration = 0.0
    """How long a node that starts waits before it takes part."""
    lease: Lease = 2
    """How long the kernel keeps a virtual address which LibrA no longer renews, so that a node that
    hangs loses it: whole seconds, 2s to 60s, whatever the interval.
    """
    checksum: Literal["pseudo-header", "rfc9568"] = "pseudo-header"
    """What the checksum of sent adverts covers: `pseudo-header` as keepalived has it, `rfc9568`
    the message alone; both are accepted.
    """
    seal: Annotated[SealConfig | None, BeforeValidator(_says_how)] = None
    """Adverts under seal; without it they travel as RFC 9568 has them, for anyone to read and to
    forge.
    """
    group: Name | None = None
    """Instances of one name here move together: a node is master of all of them or of none, and
    what one cannot do (a fault, a failover) holds for all. What one tracks weighs on all.
    """
    track: Track = Track()
    """What else moves the priority, or is a fault."""
    garp: Garp = Garp()
    """Gratuitous ARP, and neighbour advertisements: how the network learns who owns the
    addresses.
    """

    def priority_on(self, node: str) -> int | None:
        """Tell the priority of *node*, None where it does not take part."""
        return self.priority.get(node) if isinstance(self.priority, dict) else self.priority

    def takes_part(self, node: str) -> bool:
        """Tell whether *node* has what it needs to be master."""
        return self.priority_on(node) is not None and self.interface_on(node) is not None

    def interface_on(self, node: str) -> str | None:
        """Tell the interface of *node*, None where it does not take part."""
        return self.interface.get(node) if isinstance(self.interface, dict) else self.interface

    def routers(self, name: str) -> dict[str, Family]:
        """Name the virtual routers of this instance, called *name*, and the family of each.

        There is one per family; beside one of IPv4 that of IPv6 is called NAME-ipv6.
        """
        families = {family_of(each) for each in self.addresses}
        if families == {"ipv4", "ipv6"}:
            return {name: "ipv4", f"{name}{SUFFIX_IPV6}": "ipv6"}
        return dict.fromkeys((name,), families.pop())

    def vmac_of(self, router: str, name: str) -> str | None:
        """Name the interface with the MAC of *router* of this instance, called *name*, if any."""
        family = self.routers(name)[router]
        written = self.vmac.name if isinstance(self.vmac, VmacConfig) else None
        if self.vmac is False:
            return None
        if written is None:
            return f"vrrp{family[-1]}-{self.vrid}"
        return written if router == name else f"{written}-6"

    @property
    def is_veiled(self) -> bool:
        """Tell whether adverts come from a virtual MAC."""
        if isinstance(self.vmac, VmacConfig):
            return not self.vmac.xmit_base
        return self.vmac

    def unicast_of(self, node: str, own: Address) -> tuple[Address, ...]:
        """List the addresses by which the others know *node*; `own` is its own; none: multicast."""
        if not isinstance(self.unicast, dict):
            return (own,) if self.unicast else ()
        written = self.unicast.get(node, ())
        return written if isinstance(written, tuple) else (written,)

    def unicast_on(self, node: str, own: Address, version: int) -> Address | None:
        """Tell the one of them that is of this IP version, None where there is none."""
        found = (each for each in self.unicast_of(node, own) if each.version == version)
        return next(found, None)
