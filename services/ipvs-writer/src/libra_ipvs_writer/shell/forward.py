"""Verifies that what real servers answer by NAT passes the host's packet filter."""

import asyncio
from struct import error as StructError  # noqa: N812 - it is one

import structlog

from libra_ipvs_writer.netlink import MalformedMessage
from libra_ipvs_writer.packet_filter.advice import advice
from libra_ipvs_writer.packet_filter.answers import Server, answers, of_family, servers
from libra_ipvs_writer.packet_filter.fate import may_drop
from libra_ipvs_writer.packet_filter.rules import Family, UnreadableRules
from libra_ipvs_writer.shell import sysctls
from libra_ipvs_writer.shell.forward_rules import ForwardRules
from libra_ipvs_writer.shell.inquiry import ROUTE, Inquiry
from libra_ipvs_writer.shell.paths import links, outbound, paths
from libra_schemas.intent.prepared import Prepared

FAMILIES: tuple[Family, ...] = (4, 6)
TRACKS = "net.ipv4.vs.conntrack"
UNREADABLE = (OSError, UnreadableRules, MalformedMessage, LookupError, StructError)
"""What a look may end by, bytes that no reader foresaw too: it is advice, the writer goes on."""


class Forward:
    """Looks at the hook FORWARD; *trouble* says what it is certain to drop."""

    def __init__(self) -> None:
        self._rules = ForwardRules()
        self._unreadable: str | None = None
        self._log = structlog.get_logger()
        self.trouble: str | None = None

    async def look(self, prepared: Prepared | None) -> None:
        """Read the packet filter again, beside the loop: rules may be many.

        What cannot be read says nothing: the last verdict stands.
        """
        try:
            found = await asyncio.to_thread(self._examine, prepared) if prepared else []
        except UNREADABLE as error:
            self._tell_unreadable(f"{type(error).__name__}: {error}")
            return
        self._unreadable = None
        trouble = found[0] if found else None
        if trouble is not None and trouble != self.trouble:
            self._log.warning("answers are dropped", why=trouble)
        elif trouble is None and self.trouble is not None:
            self._log.info("answers are no longer dropped")
        self.trouble = trouble

    def _tell_unreadable(self, why: str) -> None:
        if why != self._unreadable:
            self._unreadable = why
            self._log.info("the packet filter cannot be read", why=why)

    def _examine(self, prepared: Prepared) -> list[str]:
        found: list[str] = []
        every = servers(prepared.config)
        for family in FAMILIES:
            if mine := of_family(every, family):
                found += self._of_family(prepared, family, mine)
        return found

    def _of_family(self, prepared: Prepared, family: Family, mine: tuple[Server, ...]) -> list[str]:
        bases = self._rules.read(family)
        if not any(map(may_drop, bases)):
            return []
        with Inquiry(ROUTE) as inquiry:
            known = links(inquiry)
            addresses = tuple(dict.fromkeys(each.address for each in mine))
            ways = paths(inquiry, addresses, known)
        reached = tuple(each for each in mine if each.address in ways)
        tracked = sysctls.read(TRACKS) != "0"
        where = outbound(known, _own(prepared))
        return advice(bases, reached, ways, answers(reached, ways, where, tracked=tracked))


def _own(prepared: Prepared) -> list[str]:
    """List the interfaces of the virtual addresses on this node."""
    instances = prepared.config.instances.values()
    found = (instance.interface_on(prepared.node) for instance in instances)
    return [interface for interface in found if interface is not None]
