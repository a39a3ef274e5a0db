"""What the kernel's interfaces and addresses are, folded from what rtnetlink says.

One rule: it only knows what the kernel said; virtual addresses are told apart by the caller.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from itertools import chain
from typing import TypeAlias, TypeVar, assert_never

from libra_vrrp.rtnetlink import (
    AddressGone,
    AddressHeld,
    Answered,
    IpAddress,
    LinkGone,
    LinkHeld,
    Said,
    Target,
)

T = TypeVar("T")

Key: TypeAlias = tuple[int, IpAddress, int]
"""Interface index, address and prefix length: what the kernel tells addresses apart by."""


@dataclass(frozen=True, slots=True)
class Interfaces:
    """Every link by index, and every address in the order in which the kernel gave it."""

    links: dict[int, LinkHeld] = field(default_factory=dict)
    addresses: dict[Key, AddressHeld] = field(default_factory=dict)
    keys: dict[IpAddress, tuple[Key, ...]] = field(default_factory=dict)
    """Under which keys of `addresses` an address is found: hosts have thousands of them."""
    local_keys: dict[int, tuple[Key, ...]] = field(default_factory=dict)
    """Under which keys the IPv6 link-local addresses of an interface are found."""
    names: dict[str, int] = field(default_factory=dict)
    """The index of each interface."""

    def named(self, name: str) -> LinkHeld | None:
        """Return the interface called `name`."""
        at = self.names.get(name)
        return None if at is None else self.links[at]

    def holders(self, address: IpAddress) -> list[AddressHeld]:
        """Return every interface's hold on `address`."""
        return [self.addresses[key] for key in self.keys.get(address, ())]

    def primary(self, index: int, virtual: Collection[IpAddress]) -> IPv4Address | None:
        """Return the first own IPv4 address of an interface (RFC 9568 section 1.5).

        A virtual address counts only where nothing else is there and it is permanent: an owner's.
        Where a connected one came first, the host's own is a secondary one. What looks like a lease
        of ours comes last: it may be left from another config.
        """
        own = (one.address for one in self._here(index, virtual) if not is_leased(one))
        left = (one.address for one in self._here(index, virtual) if is_leased(one))
        owned = (one.address for one in self._held(index, ()) if one.valid is None)
        return next((at for at in chain(own, left, owned) if isinstance(at, IPv4Address)), None)

    def link_local(self, index: int, virtual: Collection[IpAddress]) -> IPv6Address | None:
        """Return the lowest own link-local address of an interface that is usable.

        The source of adverts for IPv6 (RFC 9568 section 1.5). The kernel lists addresses in
        another order than that in which it tells of them: only the lowest is always the same. A
        virtual address, or what may be left of one, counts as for `primary`.
        """
        held = [a for a in self._link_locals(index) if a.usable]
        others = [a for a in held if a.address not in virtual]
        own = [a.address for a in others if not is_leased(a)]
        owned = [a.address for a in held if a.valid is None]
        found = own or [a.address for a in others] or owned
        return min((a for a in found if isinstance(a, IPv6Address)), default=None)

    def is_awaiting_link_local(self, index: int) -> bool:
        """Say whether the interface has a link-local address that is not usable (yet)."""
        return any(not held.usable for held in self._link_locals(index))

    def is_own(self, target: Target, lengths: Collection[int] = ()) -> bool:
        """Say whether the host holds the address otherwise than as we lease it.

        Then it is neither leased nor removed. A link-local one counts on its interface alone.
        `lengths` are other prefix lengths under which we lease it, or did until just now.
        """
        held = self.holders(target.address)
        if target.address.is_link_local:
            held = [one for one in held if one.index == target.index]
        ours = {target.length, *lengths}
        return not all(one.valid is not None and one.prefix in ours for one in held)

    def _here(self, index: int, but: Collection[IpAddress]) -> Iterator[AddressHeld]:
        """Yield the IPv4 addresses of an interface, secondary ones last."""
        return chain(self._held(index, but), self._held(index, but, secondary=True))

    def _held(
        self, index: int, but: Collection[IpAddress], *, secondary: bool = False
    ) -> Iterator[AddressHeld]:
        """Yield the IPv4 addresses of an interface that are no secondary ones, or that are."""
        for held in self.addresses.values():
            is_here = held.index == index and held.secondary == secondary
            if is_here and isinstance(held.address, IPv4Address) and held.address not in but:
                yield held

    def _link_locals(self, index: int) -> list[AddressHeld]:
        return [self.addresses[key] for key in self.local_keys.get(index, ())]


def fold(known: Interfaces, said: Iterable[Said]) -> Interfaces:
    """Return what is known after the kernel said more."""
    now = Interfaces(
        dict(known.links),
        dict(known.addresses),
        dict(known.keys),
        dict(known.local_keys),
        dict(known.names),
    )
    for one in said:
        match one:
            case LinkHeld(index=index):
                _unname(now, index)
                now.links[index] = one
                now.names[one.name] = index
            case LinkGone(index=index):
                _unname(now, index)
                now.links.pop(index, None)
                for key in [key for key in now.addresses if key[0] == index]:
                    _forget(now, key)
            case AddressHeld():
                _note(now, one)
            case AddressGone():
                _forget(now, (one.index, one.address, one.prefix))
            case Answered():
                pass
            case _:
                assert_never(one)
    return now


def _unname(known: Interfaces, index: int) -> None:
    """Forget what an interface was called; another may have its name by now."""
    link = known.links.get(index)
    if link is not None and known.names.get(link.name) == index:
        del known.names[link.name]


def _note(known: Interfaces, held: AddressHeld) -> None:
    key = held.index, held.address, held.prefix
    if key not in known.addresses:
        known.keys[held.address] = (*known.keys.get(held.address, ()), key)
        if _is_local(held.address):
            known.local_keys[held.index] = (*known.local_keys.get(held.index, ()), key)
    known.addresses[key] = held


def _forget(known: Interfaces, key: Key) -> None:
    if known.addresses.pop(key, None) is None:
        return
    _drop(known.keys, key[1], key)
    if _is_local(key[1]):
        _drop(known.local_keys, key[0], key)


def _drop(keys: dict[T, tuple[Key, ...]], at: T, key: Key) -> None:
    left = tuple(one for one in keys.pop(at) if one != key)
    if left:
        keys[at] = left


def is_leased(held: AddressHeld) -> bool:
    """Say whether it is as we lease addresses; a host's own may be so too, from DHCP."""
    return held.valid is not None and held.prefix == held.address.max_prefixlen


def _is_local(address: IpAddress) -> bool:
    return isinstance(address, IPv6Address) and address.is_link_local


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
