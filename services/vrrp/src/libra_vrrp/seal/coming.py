"""Seals that are ordered and cannot be used yet: their key file is missing, or being read.

One rule: a router goes on as it was until its seal can be used, unless another router is heard
under a seal that we cannot open while our key file is no good. Who requires a seal does not hear
those who go on without it: both would be masters.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from libra_vrrp.orders import Instance
from libra_vrrp.seal.names import context, router_tag

Change: TypeAlias = tuple[Instance, Instance]
"""A router's order in force, and the one with the seal that is to come."""


@dataclass(frozen=True, slots=True)
class Coming:
    """The orders that wait, by name; `tags` of those who may be left behind.

    `behind` are those whom a peer has passed, `given_up` (name and key file) wait no more.
    """

    orders: Mapping[str, Instance] = field(default_factory=dict)
    tags: Mapping[bytes, str] = field(default_factory=dict)
    behind: frozenset[str] = frozenset()
    given_up: frozenset[tuple[str, str]] = frozenset()


def expect(known: Coming, changes: Iterable[Change], others: Iterable[Instance]) -> Coming:
    """Return who waits from now on; `others` are the orders in force that have a seal."""
    waiting = {new.name: (old, new) for old, new in changes}
    orders = {name: new for name, (_, new) in waiting.items()}
    tags = {
        _tag(new): name for name, (old, new) in waiting.items() if not _hear_each_other(old, new)
    }
    files = {_key(one) for one in (*orders.values(), *others)}
    return Coming(orders, tags, known.behind & orders.keys(), known.given_up & files)


def passed_by(known: Coming, tag: bytes) -> Coming:
    """Note a sealed datagram for the router of a tag, which we cannot open."""
    name = known.tags.get(tag)
    return known if name is None else replace(known, behind=known.behind | {name})


def give_up(known: Coming, file: str) -> Coming:
    """Note that a key file was looked at and is no good: who was passed waits no more for it."""
    lost = {(name, file) for name in known.behind} & set(map(_key, known.orders.values()))
    return replace(known, given_up=known.given_up | lost)


def is_given_up(known: Coming, order: Instance) -> bool:
    """Say whether an order takes effect whatever becomes of its key."""
    return _key(order) in known.given_up


def meanwhile(known: Coming, name: str) -> str:
    """Say what a router does whose key is not to be had yet."""
    goes_on = "it goes on as it was until the key is there"
    if name not in known.tags.values():
        return goes_on
    return f"{goes_on}; should a peer be heard under a seal that it cannot open it is in fault"


def _key(order: Instance) -> tuple[str, str]:
    return order.name, "" if order.seal is None else order.seal.key_file


def _tag(order: Instance) -> bytes:
    return router_tag(context(order.name, order.vrid, order.family))


def _hear_each_other(old: Instance, new: Instance) -> bool:
    """Say whether peers under the new order and we under the old one still talk in plain."""
    return all(one.seal is None or not one.seal.is_required for one in (old, new))
