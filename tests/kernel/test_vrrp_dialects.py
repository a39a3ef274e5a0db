"""Beside the real keepalived in every dialect that both speak, each in either role.

A story is one election after another on one network: what takes long is waited for once.
"""

import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from libra_vrrp.orders import Place
from libra_vrrp.router import Never

if TYPE_CHECKING:
    import subprocess

    from tests.kernel.conftest import Director, Pair

    from libra_vrrp.rtnetlink import IpAddress

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(shutil.which("keepalived") is None, reason="keepalived is not installed"),
]

SLACK = 1.0
SECOND = IPv4Address("192.0.2.11")
VIPS = {53: IPv4Address("192.0.2.12"), 54: IPv4Address("192.0.2.13")}
CONFIG = """
vrrp_instance front {{
  state BACKUP
  interface eth0
  virtual_router_id 51
  version {version}
  priority {priority}
  advert_int {interval:g}
  {more}
  virtual_ipaddress {{
    {vip} dev eth0
  }}
}}
"""
PASSWORD = "s3cret"  # noqa: S105 - of this test
PASS = f"""
  authentication {{
    auth_type PASS
    auth_pass {PASSWORD}
  }}"""
UNICAST = """
  unicast_src_ip {ours}
  unicast_peer {{
    {theirs}
  }}"""


@dataclass(frozen=True)
class Dialect:
    """How adverts are said."""

    name: str
    version: int = 3
    interval: float = 0.25
    password: bytes | None = None
    unicast: bool = False
    family: int = 4

    @property
    def vip(self) -> "IpAddress":
        """The virtual address."""
        return IPv4Address("192.0.2.10") if self.family == 4 else IPv6Address("2001:db8::10")

    def host(self, number: int) -> "IpAddress":
        """Return the address of a host of the network: 1 is a, 2 is b."""
        text = f"192.0.2.{number}" if self.family == 4 else f"2001:db8::{number}"
        return ip_address(text)

    def order(self, number: int) -> dict[str, Any]:
        """Return what it makes of the order of host `number`."""
        said: dict[str, Any] = {"version": self.version, "interval": self.interval}
        said |= {"places": (Place("eth0", self.vip),), "authentication": self.password}
        if self.unicast:
            said |= {"source": self.host(number), "peers": (self.host(3 - number),)}
        return said

    def config(self, number: int, priority: int, more: str) -> str:
        """Return the config of a keepalived on host `number`."""
        more += PASS if self.password else ""
        ends = {"ours": self.host(number), "theirs": self.host(3 - number)}
        more += UNICAST.format(**ends) if self.unicast else ""
        vip = f"{self.vip}/{self.vip.max_prefixlen}"
        said = {"version": self.version, "interval": self.interval}
        return CONFIG.format(priority=priority, more=more, vip=vip, **said)

    def skew(self, priority: int) -> float:
        """Return the skew of a router of this priority, in seconds."""
        return (256 - priority) / 256 * (1.0 if self.version == 2 else self.interval)

    def patience(self, priority: int) -> float:
        """Return how long a router of this priority waits for a silent master."""
        return 3 * self.interval + self.skew(priority)


DIALECTS = [
    Dialect("version 2", version=2, interval=1.0),
    Dialect("version 2, PASS", version=2, interval=1.0, password=PASSWORD.encode()),
    Dialect("version 3", version=3),
    Dialect("version 3, unicast", unicast=True),
    Dialect("IPv6", family=6),
    Dialect("IPv6, unicast", family=6, unicast=True),
]
BRIEFLY = [
    Dialect("version 2, PASS, unicast", 2, 1.0, password=PASSWORD.encode(), unicast=True),
    *DIALECTS[3:5],
]


@dataclass
class Table:
    """Two directors, one of whom may be keepalived, and how they speak."""

    dialect: Dialect
    pair: "Pair"
    files: Path

    def number(self, director: "Director") -> int:
        """Return 1 for a and 2 for b."""
        return 1 if director is self.pair.a else 2

    def owners(self) -> list[str]:
        """Return who owns the virtual address."""
        return self.pair.owners(self.dialect.vip)

    def soon(self, *names: str) -> None:
        """Wait until these own the address, and nobody else."""
        told = f"{' and '.join(names)} alone own the address"
        self.pair.soon(partial(self._is_owned_by, names), told)

    def within(self, seconds: float, *names: str) -> None:
        """Wait until these own the address, no longer than the protocol allows."""
        told = f"{' and '.join(names)} alone own the address"
        self.pair.until(partial(self._is_owned_by, names), seconds + SLACK, told)

    def _is_owned_by(self, names: tuple[str, ...]) -> bool:
        return self.owners() == list(names)

    def stays(self, name: str) -> None:
        """Look for longer than any backup waits: there is never another owner."""
        until = time.monotonic() + self.dialect.patience(100) + self.dialect.interval
        while time.monotonic() < until:
            assert self.owners() == [name]

    def is_silent(self, director: "Director", seconds: float) -> None:
        """Listen for adverts of a director: a backup says nothing."""
        said = f"proto 112 and src {self.dialect.host(self.number(director))}"
        if self.dialect.family == 6 and not self.dialect.unicast:
            said = f"ip6 proto 112 and ether src {director.mac()}"
        with director.node.capture("eth0", said) as spoken:
            time.sleep(seconds)  # nothing is to happen
        assert spoken.lines == []

    @contextmanager
    def keepalived(
        self, director: "Director", priority: int, more: str = ""
    ) -> Iterator["subprocess.Popen[str]"]:
        """Run keepalived on a director's node instead of LibrA."""
        name = director.node.name
        file = self.files / f"{name}.conf"
        self.configure(director, priority, more)
        argv = ["keepalived", "-n", "-l", "-P", "-f", str(file)]
        argv += ["-p", str(self.files / f"{name}.pid"), "-r", str(self.files / f"{name}.vrrp.pid")]
        process = director.node.popen(argv)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(10)

    def configure(self, director: "Director", priority: int, more: str = "") -> None:
        """Write the config of keepalived."""
        text = self.dialect.config(self.number(director), priority, more)
        (self.files / f"{director.node.name}.conf").write_text(text)


@pytest.fixture
def table(pair: "Pair", tmp_path: Path, request: pytest.FixtureRequest) -> Table:
    dialect: Dialect = request.param
    for number, node in enumerate((pair.a.node, pair.b.node, pair.client), 1):
        node.ip(f"addr add 2001:db8::{number}/64 dev eth0 nodad")
    for number, director in enumerate((pair.a, pair.b), 1):
        director.order = replace(director.order, **dialect.order(number))
        director.write()
    return Table(dialect, pair, tmp_path)


def power_off(director: "Director") -> None:
    """End everything at once: whoever outlived its parent for a moment would say a last word."""
    director.node.signal(signal.SIGSTOP)
    director.node.kill()


def spoken(dialects: list[Dialect]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("table", dialects, ids=lambda each: each.name, indirect=True)


@spoken(DIALECTS)
def test_a_lower_keepalived_gives_way_takes_over_and_gives_way_again(table: Table) -> None:
    ours, dialect = table.pair.a, table.dialect
    with table.keepalived(table.pair.b, 100):
        table.soon("b")
        ours.start()
        table.soon("a")  # we preempt
        table.is_silent(table.pair.b, dialect.patience(100))
        ours.node.cut(silent=True)
        table.within(dialect.patience(100), "a", "b")  # a partition has two masters
        ours.node.heal()
        table.within(dialect.interval, "a")  # and a network only one
        power_off(ours)
        table.within(max(dialect.patience(100), 3.0), "b")  # the lease ends with us
        ours.start()
        table.soon("a")
        ours.stop()
        table.within(dialect.skew(100), "b")  # priority 0


@spoken(DIALECTS)
def test_a_higher_keepalived_is_given_way_is_followed_and_is_replaced(table: Table) -> None:
    ours, dialect = table.pair.b, table.dialect
    ours.start()
    table.soon("b")
    with table.keepalived(table.pair.a, 150):
        table.soon("a")  # it preempts
        table.is_silent(ours, dialect.patience(100))
        table.pair.a.node.cut(silent=True)
        table.within(dialect.patience(100), "a", "b")
        table.pair.a.node.heal()
        table.within(dialect.interval, "a")
    table.within(dialect.skew(100), "b")  # priority 0
    with table.keepalived(table.pair.a, 150):
        table.soon("a")
        power_off(table.pair.a)
        table.within(dialect.patience(100), "a", "b")  # it leaves its address behind
        vip = f"{dialect.vip}/{dialect.vip.max_prefixlen}"
        table.pair.a.node.ip(f"addr del {vip} dev eth0")
        assert table.owners() == ["b"]


@spoken(BRIEFLY)
def test_who_is_master_stays_it_without_preemption_until_priorities_change(table: Table) -> None:
    ours, dialect = table.pair.b, table.dialect
    ours.start()
    table.soon("b")
    with table.keepalived(table.pair.a, 150, "nopreempt") as process:
        table.stays("b")
        table.configure(table.pair.a, 150)
        process.send_signal(signal.SIGHUP)
        table.soon("a")  # now it preempts
        ours.order = replace(ours.order, priority=200, preempt=Never())
        ours.reload()
        table.stays("a")  # we do not
        ours.order = replace(ours.order, preempt=table.pair.a.order.preempt)
        ours.reload()
        table.within(dialect.patience(200), "b")  # now we do
        ours.order = replace(ours.order, priority=50)
        ours.reload()
        table.within(dialect.patience(150), "a")
        table.configure(table.pair.a, 20)
        process.send_signal(signal.SIGHUP)
        table.within(dialect.patience(50), "b")


@spoken([DIALECTS[1]])
def test_another_password_another_interval_and_none_are_not_heard(table: Table) -> None:
    """Two masters are what PASS is for: whoever does not know it is no router of this network."""
    ours, right = table.pair.a, table.pair.a.order
    with table.keepalived(table.pair.b, 100):
        table.soon("b")
        ours.start()
        table.soon("a")
        for wrong in ({"authentication": b"other"}, {"authentication": None}, {"interval": 2.0}):
            ours.order = replace(right, **wrong)
            ours.reload()
            table.within(table.dialect.patience(100), "a", "b")
            ours.order = right
            ours.reload()
            table.within(table.dialect.interval, "a")


@spoken([DIALECTS[1], DIALECTS[3], DIALECTS[5]])
def test_the_guard_speaks_as_its_machine_did(table: Table) -> None:
    """A machine that hangs is handed over, in every dialect, before the others lose patience."""
    pair, dialect = table.pair, table.dialect
    pair.a.order = replace(pair.a.order, preempt=Never())  # once back it takes nothing away
    pair.a.write()
    pair.a.start()
    table.soon("a")
    pair.b.start()
    pair.soon(lambda: pair.b.pid("machine"), "b is there to take over")
    to = f" and dst {dialect.host(2)}" if dialect.unicast else ""
    said = f"proto 112 and src {dialect.host(1)}{to}"
    with pair.b.node.capture("eth0", said, "-v") as heard:
        pair.a.signal(signal.SIGSTOP, "machine")
        heard.wait_for(rf"VRRPv{dialect.version}, .*vrid 51, prio 0, ")
        table.soon("b")
    if dialect.password:
        assert "authtype simple" in "".join(heard.lines)


def test_instances_that_are_spoken_to_alike_share_a_socket(pair: "Pair") -> None:
    back = replace(pair.a.order, name="back", vrid=52, places=(Place("eth0", SECOND),))
    ours: dict[str, Any] = {
        "source": IPv4Address("192.0.2.1"),
        "peers": (IPv4Address("192.0.2.2"),),
    }
    far = [replace(back, name=f"far{n}", vrid=n, **ours) for n in (53, 54)]
    far = [replace(one, places=(Place("eth0", VIPS[one.vrid]),)) for one in far]
    pair.a.others = (back, *far)
    pair.a.write()
    pair.a.start()
    for address in (SECOND, *VIPS.values()):
        pair.soon(partial(pair.a.owns, address), f"a owns {address}")
    listed = pair.a.node.run("cat", "/proc/net/raw").stdout.splitlines()[1:]
    vrrp = [line.split()[1] for line in listed if line.split()[1].endswith(":0070")]
    assert sorted(vrrp) == ["00000000:0070", "010200C0:0070"]
