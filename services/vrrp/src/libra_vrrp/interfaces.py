"""What the kernel's interfaces and addresses are, folded from what rtnetlink says.

One rule: it only knows what the kernel said; virtual addresses are told apart by the caller.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import TypeAlias, assert_never

from libra_vrrp.rtnetlink import (
    AddressGone,
    AddressHeld,
    Answered,
    IpAddress,
    LinkGone,
    LinkHeld,
    Said,
)

Key: TypeAlias = tuple[int, IpAddress, int]
"""Interface index, address and prefix length: what the kernel tells addresses apart by."""


@dataclass(frozen=True, slots=True)
class Interfaces:
    """Every link by index, and every address in the order in which the kernel gave it."""

    links: dict[int, LinkHeld] = field(default_factory=dict)
    addresses: dict[Key, AddressHeld] = field(default_factory=dict)
    keys: dict[IpAddress, tuple[Key, ...]] = field(default_factory=dict)
    """Under which keys of `addresses` an address is found: hosts have thousands of them."""

    def named(self, name: str) -> LinkHeld | None:
        """Return the interface called `name`."""
        return next((link for link in self.links.values() if link.name == name), None)

    def holders(self, address: IpAddress) -> list[AddressHeld]:
        """Return every interface's hold on `address`."""
        return [self.addresses[key] for key in self.keys.get(address, ())]

    def primary(self, index: int, virtual: Collection[IpAddress]) -> IPv4Address | None:
        """Return the first own IPv4 address of an interface (RFC 9568 section 1.5).

        A virtual address counts only where nothing else is there and it is permanent: an owner's.
        """
        held = [a for a in self.addresses.values() if a.index == index and not a.secondary]
        own = [a for a in held if a.address not in virtual]
        owned = [a for a in held if a.valid is None]
        found = (a.address for a in own + owned if isinstance(a.address, IPv4Address))
        return next(found, None)

    def link_local(self, index: int, virtual: Collection[IpAddress]) -> IPv6Address | None:
        """Return the lowest own link-local address of an interface that is usable.

        The source of adverts for IPv6 (RFC 9568 section 1.5). The kernel lists addresses in
        another order than that in which it tells of them: only the lowest is always the same. A
        virtual address counts as for `primary`.
        """
        held = [a for a in self._link_locals(index) if a.usable]
        own = [a.address for a in held if a.address not in virtual]
        owned = [a.address for a in held if a.valid is None]
        found = own or owned
        return min((a for a in found if isinstance(a, IPv6Address)), default=None)

    def is_awaiting_link_local(self, index: int) -> bool:
        """Say whether the interface has a link-local address that is not usable (yet)."""
        return any(not held.usable for held in self._link_locals(index))

    def is_own(self, address: IpAddress, index: int) -> bool:
        """Say whether the host holds `address` otherwise than as we lease it, /32 or /128.

        Then it is neither leased nor removed. A link-local one counts on its interface alone.
        """
        held = self.holders(address)
        if address.is_link_local:
            held = [one for one in held if one.index == index]
        return any(one.valid is None or one.prefix != address.max_prefixlen for one in held)

    def _link_locals(self, index: int) -> list[AddressHeld]:
        return [
            a
            for a in self.addresses.values()
            if a.index == index and isinstance(a.address, IPv6Address) and a.address.is_link_local
        ]


def fold(known: Interfaces, said: Iterable[Said]) -> Interfaces:
    """Return what is known after the kernel said more."""
    links, addresses, keys = dict(known.links), dict(known.addresses), dict(known.keys)
    for one in said:
        match one:
            case LinkHeld(index=index):
                links[index] = one
            case LinkGone(index=index):
                links.pop(index, None)
                for key in [key for key in addresses if key[0] == index]:
                    _forget(addresses, keys, key)
            case AddressHeld():
                _note(addresses, keys, one)
            case AddressGone():
                _forget(addresses, keys, (one.index, one.address, one.prefix))
            case Answered():
                pass
            case _:
                assert_never(one)
    return Interfaces(links, addresses, keys)


def _note(
    addresses: dict[Key, AddressHeld], keys: dict[IpAddress, tuple[Key, ...]], held: AddressHeld
) -> None:
    key = held.index, held.address, held.prefix
    if key not in addresses:
        keys[held.address] = (*keys.get(held.address, ()), key)
    addresses[key] = held


def _forget(
    addresses: dict[Key, AddressHeld], keys: dict[IpAddress, tuple[Key, ...]], key: Key
) -> None:
    if addresses.pop(key, None) is None:
        return
    left = tuple(one for one in keys.pop(key[1]) if one != key)
    if left:
        keys[key[1]] = left


def faults(known: Interfaces, interface: str, others: Iterable[str]) -> frozenset[str]:
    """Return why a router on `interface` that needs the `others` too cannot work; empty: it can."""
    reasons = {reason for name in (interface, *others) if (reason := fault_of(known, name))}
    return frozenset(reasons)


def fault_of(known: Interfaces, name: str) -> str | None:
    """Return what is wrong with an interface, None where nothing is."""
    link = known.named(name)
    if link is None:
        return f"interface {name} does not exist"
    return None if link.up else f"interface {name} is down"
