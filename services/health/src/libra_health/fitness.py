"""Whether this service can do its work: what of it cannot be run here, and how late it is.

The one rule: what is wrong with a backend is never our trouble, and what is ours is never its.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from libra_health.outcome import Errored, Reason
from libra_health.probes import Probe
from libra_health.wire import Target

LATE: Final = 10.0
"""Seconds by which a check may begin late before the checks count as stuck."""

_HINTS: Final = {
    Reason.DESCRIPTORS: "raise the limit of open files",
    Reason.NO_ROUTE: "this node has no route there",
    Reason.PORTS: "this node has no free port left",
}
_PING: Final = (
    "for icmp net.ipv4.ping_group_range must include this service's group, or it needs CAP_NET_RAW"
)
_FILE: Final = (
    "the user of health (uid 64641, gid 64640 where LibrA is installed) must be able to read it "
    "and to enter the directories it lies in"
)
_MARKED: Final = "a firewall mark takes CAP_NET_RAW on Linux 5.17 and newer, CAP_NET_ADMIN before"


@dataclass(frozen=True, slots=True)
class Shortage:
    """Holds for which no descriptor was left, and the limit of open files: what it is and `needed`.

    `needed` has room for all of them beside the probes.
    """

    holds: int
    limit: int
    needed: int

    def __str__(self) -> str:
        """Say it, and what mends it."""
        holds = "1 hold is" if self.holds == 1 else f"{self.holds} holds are"
        mend = _HINTS[Reason.DESCRIPTORS]
        if self.needed > self.limit:
            mend += f" from {self.limit} to {self.needed}"
        return f"{holds} not kept, so that probes can run: {mend}"


def trouble(
    unable: Mapping[Probe, Errored], late: float, short: Shortage | None = None
) -> str | None:
    """Say in one sentence what is not checked; *late* in seconds, None where all is."""
    if late > LATE:
        return f"the checks are stuck: the next one is {late:.0f} s late"
    for probe, outcome in unable.items():
        others = f" (and {len(unable) - 1} more)" if len(unable) > 1 else ""
        hint = remedy(probe, outcome)
        why = f"{outcome.detail}; {hint}" if hint else outcome.detail
        return f"{probe.kind} check of {probe.target}{others} cannot be run here: {why}"
    return None if short is None else str(short)


def remedy(probe: Probe, outcome: Errored) -> str:
    """Say what mends trouble of our own, "" where nothing is known."""
    if outcome.reason is Reason.PERMISSION:
        if "/" in outcome.detail:
            return _FILE
        return _PING if probe.kind == "icmp" else _MARKED if probe.target.origin.fwmark else ""
    return _of_origin(probe.target, outcome) or _HINTS.get(outcome.reason, "")


def _of_origin(target: Target, outcome: Errored) -> str:
    """Say what is wrong with `interface` or `bind`, "" where it is none of them."""
    origin = target.origin
    if outcome.detail == errno.errorcode[errno.EINVAL] and _lacks_link(target):
        return "a link-local address says nothing without the link it is on: name its `interface`"
    if outcome.detail == errno.errorcode[errno.ENODEV] and origin.interface:
        return f"this node has no interface {origin.interface} (`interface`)"
    if outcome.reason is Reason.PORTS and origin.address:
        return f"this node has not the address {origin.address} (`bind`), or no free port left"
    return ""


def _lacks_link(target: Target) -> bool:
    return (
        ip_address(target.address).is_link_local and target.is_ipv6 and not target.origin.interface
    )
