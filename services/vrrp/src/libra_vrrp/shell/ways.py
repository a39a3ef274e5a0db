"""The routes and rules of one mastership: what became of them, told where that is news."""

from collections.abc import Collection
from typing import Final

from libra_vrrp.laying import laying
from libra_vrrp.orders import Instance
from libra_vrrp.renewal import Laid
from libra_vrrp.routing import Entry
from libra_vrrp.shell.ground import Ground
from libra_vrrp.shell.questions import reason

SHOWN: Final = 5
"""Refusals that one alarm spells out."""


class Ways:
    """They are wanted anew with every renewal: the kernel drops routes with what they rest on."""

    def __init__(self, name: str, ground: Ground) -> None:
        self._name = name
        self._ground = ground
        self._lacking: tuple[str, ...] = ()
        self._laid: frozenset[Entry] = frozenset()
        self._asked: dict[Entry, None] = {}
        self._refused: frozenset[str] = frozenset()

    @property
    def asked(self) -> tuple[Entry, ...]:
        """Everything that the kernel was asked for, also on interfaces that are not there now."""
        return tuple(self._asked)

    def shed(self, kept: Collection[Entry]) -> tuple[Entry, ...]:
        """Forget what is not kept, and return it."""
        shed = tuple(one for one in self._asked if one not in kept)
        self._asked = dict.fromkeys(one for one in self._asked if one in kept)
        return shed

    def wanted(self, order: Instance) -> tuple[Entry, ...]:
        """Return what the kernel is to be asked for now.

        What it was asked for on an interface that has another name now is there still; with an
        interface that is gone the kernel took its routes.
        """
        known = self._ground.interfaces
        found = laying(order, known)
        self._lacking = found.lacking
        there = (one for one in self._asked if not one.device or one.device in known.links)
        self._asked = dict.fromkeys((*there, *found.entries))
        if not found.entries:
            self._complain(frozenset(found.lacking))
        return found.entries

    def take_in(self, laid: Laid) -> None:
        """Note what became of them; the addresses stay, whatever that is."""
        for _ in self._laid.intersection(laid.made):
            self._ground.count("routes_restored")
        refused = {entry for entry, _ in laid.refused}
        self._laid = frozenset(entry for entry in laid.renew.entries if entry not in refused)
        for _ in laid.refused:
            self._ground.count("routes_refused")
        told = (f"{entry.said}: {reason(answer)}" for entry, answer in laid.refused)
        self._complain(frozenset({*told, *self._lacking}))

    def _complain(self, refused: frozenset[str]) -> None:
        if news := sorted(refused - self._refused):
            more = f" and {len(news) - SHOWN} more" if len(news) > SHOWN else ""
            detail = "; ".join(news[:SHOWN]) + more
            self._ground.alarm(self._name, "route", None, detail, detail)
        self._refused = refused
