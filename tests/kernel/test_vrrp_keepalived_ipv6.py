"""IPv6 beside the real keepalived: several addresses, and both families in one instance.

It lists the link-local address last, we list it first (RFC 9568 section 5.2.9): both are taken.
"""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.kernel.conftest import LOCAL, MORE, PATIENCE, SIX, Director, until
from tests.kernel.dialects import DIALECTS, Table, beside, listed
from tests.kernel.stages import BUSY
from tests.kernel.witness import Witness, witness

from libra_lab.node import Node
from libra_vrrp.orders import Place

if TYPE_CHECKING:
    from libra_vrrp.rtnetlink import IpAddress

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(shutil.which("keepalived") is None, reason="keepalived is not installed"),
]

V3, IPV6 = DIALECTS[2], DIALECTS[4]
EXCLUDING = f"""
  virtual_ipaddress_excluded {{
    {listed([MORE])}
  }}"""
TOGETHER = """
vrrp_sync_group both {
  group {
    front
    front-ipv6
  }
}
"""


def answers(one: Table, director: Director, *addresses: "IpAddress") -> None:
    """Wait until the client reaches every address, at the director."""
    for address in addresses:
        until(partial(pings, one.client, address), PATIENCE, f"{address} answers")
        assert one.neighbour(address) == director.mac()


def pings(client: Node, address: "IpAddress") -> bool:
    return client.run("ping", "-c1", "-W1", str(address), check=False).returncode == 0


def test_addresses_go_over_together_in_either_order(tmp_path: Path) -> None:
    def story(one: Table) -> None:
        for director in (one.a, one.b):
            places = Place("eth0", SIX), Place("eth0", LOCAL)
            excluded = (Place("eth0", MORE),)
            director.order = replace(director.order, places=places, excluded=excluded)
            director.write()
        lower, higher = (
            one.dialect.config(number, priority, EXCLUDING, [SIX, LOCAL])
            for number, priority in ((2, 100), (1, 150))
        )
        with one.keepalived(one.b, config=lower):
            one.settle("b")
            answers(one, one.b, MORE)
            since = time.monotonic()
            one.a.start()
            one.passes("a", since)
            answers(one, one.a, SIX, MORE)
            one.rests("a")
            one.is_cut(one.a, "b")
            one.heals("a", one.a)
            since = time.monotonic()
            one.a.stop()
            one.passes("b", since, one.hurried("a", since, "b"))
            answers(one, one.b, SIX, MORE)
        one.b.start()
        one.settle("b")
        since = time.monotonic()
        with one.keepalived(one.a, config=higher):
            one.passes("a", since)
            answers(one, one.a, SIX, MORE)
            one.rests("a")
            since = time.monotonic()
        one.passes("b", since, one.hurried("a", since, "b"))
        answers(one, one.b, SIX, MORE)

    beside([IPV6], tmp_path, story)


def both_families(one: Table, number: int) -> str:
    """Return the config of a keepalived whose two instances move together."""
    priority = {1: 150, 2: 100}[number]
    four = one.dialect.config(number, priority, "", [one.dialect.vip])
    six = one.dialect.config(number, priority, "", [SIX])
    return TOGETHER + four + six.replace("instance front", "instance front-ipv6")


@contextmanager
def also(one: Table) -> Iterator[Witness]:
    """Give each of us the other family too, and watch its address."""
    for director in (one.a, one.b):
        director.order = replace(director.order, group="both families of front")
        other = replace(director.order, name="front-ipv6", places=(Place("eth0", SIX),))
        director.others = (other,)
        director.write()
    with witness(SIX, [one.a.node, one.b.node], one.client) as six:
        yield six


def test_both_families_of_an_instance_go_over_together(tmp_path: Path) -> None:
    """Ours are two routers of an implicit group, keepalived's two instances of a sync group."""

    def story(one: Table) -> None:
        with also(one) as six:
            ours_take_and_give(one, six)
            one.b.start()
            one.settle("b")
            since = time.monotonic()
            with one.keepalived(one.a, config=both_families(one, 1)):
                both_pass(one, six, "a", since)
                one.rests("a")
                one.is_cut(one.a, "b")
                until(lambda: six.owners() == {"a", "b"}, PATIENCE, "so it is with IPv6")
                healed(one, six, one.a)
                since = time.monotonic()
            both_pass(one, six, "b", since)

    beside([V3], tmp_path, story)


def ours_take_and_give(one: Table, six: Witness) -> None:
    with one.keepalived(one.b, config=both_families(one, 2)):
        one.settle("b")
        since = time.monotonic()
        one.a.start()
        both_pass(one, six, "a", since)
        one.rests("a")
        one.is_cut(one.a, "b")
        until(lambda: six.owners() == {"a", "b"}, PATIENCE, "so it is with IPv6")
        healed(one, six, one.a)
        since = time.monotonic()
        one.a.stop()
        both_pass(one, six, "b", since)


def both_pass(one: Table, six: Witness, to: str, since: float) -> None:
    """Wait until one has both addresses; nobody shared either for longer than allowed."""
    one.passes(to, since)
    until(lambda: six.owners() == {to}, PATIENCE, f"{to} alone has the address of IPv6")
    assert six.shared(since) <= one.dialect.interval + BUSY


def healed(one: Table, six: Witness, cut: Director) -> None:
    """End a partition that a wins, in both families."""
    one.heals("a", cut)
    since = time.monotonic()
    until(lambda: six.owners() == {"a"}, PATIENCE, "a alone has the address of IPv6")
    assert six.shared(since) <= one.dialect.interval + BUSY
