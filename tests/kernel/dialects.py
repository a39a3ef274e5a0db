"""LibrA and keepalived on one network, in any dialect that both speak, and who watches them.

Two masters are held to what the protocol allows: who is to give way hears of the other at the
latest with the other's next advert, one interval later, and gives way there and then.
"""

import math
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.kernel.conftest import PATIENCE, Director, neighbour, until
from tests.kernel.stages import BUSY
from tests.kernel.witness import Witness, witness

from libra_lab.node import Node
from libra_lab.topology import Topology
from libra_vrrp.lease import Terms
from libra_vrrp.orders import Instance, Place
from libra_vrrp.router import Always

if TYPE_CHECKING:
    import subprocess

    from libra_vrrp.rtnetlink import IpAddress

RELOAD = 1.0
"""Seconds that keepalived may take to read its config again."""
LEASE_ENDS = Terms().duration + 1.0
"""Seconds for which what is killed whole holds its address at the most (design §12)."""
CONFIG = """
vrrp_instance front {{
  state {state}
  interface eth0
  virtual_router_id 51
  version {version}
  priority {priority}
  advert_int {interval:g}
  higher_prio_send_advert true
  {more}
  virtual_ipaddress {{
    {vips}
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

    def config(self, number: int, priority: int, more: str, vips: Sequence["IpAddress"]) -> str:
        """Return the config of a keepalived on host `number`; only 255 may begin as master."""
        more += PASS if self.password else ""
        ends = {"ours": self.host(number), "theirs": self.host(3 - number)}
        more += UNICAST.format(**ends) if self.unicast else ""
        said = {"version": self.version, "interval": self.interval, "priority": priority}
        state = "MASTER" if priority == 255 else "BACKUP"
        return CONFIG.format(state=state, more=more, vips=listed(vips), **said)

    def skew(self, priority: int) -> float:
        """Return the skew of a router of this priority, in seconds."""
        return (256 - priority) / 256 * (1.0 if self.version == 2 else self.interval)

    def patience(self, priority: int) -> float:
        """Return how long a router of this priority waits for a silent master."""
        return 3 * self.interval + self.skew(priority)


DIALECTS = [
    Dialect("version 2", version=2, interval=1.0),
    Dialect("version 2, PASS", version=2, interval=1.0, password=PASSWORD.encode()),
    Dialect("version 3"),
    Dialect("version 3, unicast", unicast=True),
    Dialect("IPv6", family=6),
    Dialect("IPv6, unicast", family=6, unicast=True),
]


def listed(addresses: Sequence["IpAddress"]) -> str:
    """Return addresses as keepalived's config lists them."""
    return "\n    ".join(f"{one}/{one.max_prefixlen} dev eth0" for one in addresses)


@dataclass
class Table:
    """Two directors, a (150) and b (100), one of whom may be keepalived; a client and a witness.

    Each step is counted from a moment; `passes` also bounds how long two are masters in it.
    """

    dialect: Dialect
    a: Director
    b: Director
    client: Node
    seen: Witness
    files: Path
    priorities: dict[str, int] = field(default_factory=lambda: {"a": 150, "b": 100})

    def settle(self, name: str) -> None:
        """Wait until this one alone has the address; the client asks for it once."""
        until(lambda: self.seen.owners() == {name}, PATIENCE, f"{name} alone has the address")
        self.client.run("ping", "-c1", "-W1", str(self.dialect.vip), check=False)
        self._is_known(name)

    def passes(
        self, to: str, since: float, by: float = math.inf, shared: float | None = None
    ) -> None:
        """Wait until one alone has the address, speaks, and is whom the client was told of.

        Its first word came by a moment, and two spoke or held the address for one interval at the
        most; `shared` is for how long they held it where the protocol cannot say.
        """
        allowed = self.dialect.interval + BUSY
        until(lambda: self.seen.owners() == {to}, PATIENCE, f"{to} alone has the address")
        until(lambda: self.seen.words_of(to, since), PATIENCE, f"{to} speaks")
        self._is_known(to)
        assert self.seen.shared(since) <= (allowed if shared is None else shared)
        assert self.seen.both_spoke(since) <= allowed
        assert self.seen.words_of(to, since)[0].at <= by + BUSY

    def splits(self, heir: str, deed: Callable[[], object]) -> None:
        """Do what leaves both as masters, each unheard by the other: one's patience is right."""
        since = time.monotonic()
        deed()
        done = time.monotonic()
        until(lambda: self.seen.owners() == {"a", "b"}, PATIENCE, "both have the address")
        until(lambda: self.seen.words_of(heir, since), PATIENCE, f"{heir} speaks")
        assert self.seen.words_of(heir, since)[0].at <= done + self.patience(heir) + BUSY

    def is_cut(self, cut: Director, heir: str) -> None:
        """Cut one off: a partition has two masters."""
        self.splits(heir, partial(cut.node.cut, silent=True))

    def heals(self, to: str, cut: Director) -> None:
        """End a partition: by the next advert of the better master the other one has given way."""
        (loser,) = {"a", "b"} - {to}
        cut.node.heal()
        healed = time.monotonic()
        self.passes(to, healed)
        last = [said.at for said in self.seen.words_of(loser, healed)]
        assert max(last, default=healed) <= healed + self.dialect.interval + BUSY

    def rests(self, owner: str) -> None:
        """See a master speak for longer than any backup waits: there is never another one."""
        since, adverts = time.monotonic(), 5
        told = f"{owner} speaks on"
        until(lambda: len(self.seen.words_of(owner, since)) > adverts, PATIENCE, told)
        assert {said.name for said in self.seen.words if said.at >= since} == {owner}
        assert self.seen.moves(since) == []
        assert self.seen.owners() == {owner}

    def is_backup(self, peer: Director) -> None:
        """Wait until keepalived has begun to listen."""
        log = self.files / f"{peer.node.name}.keepalived"
        told = "keepalived is a backup"
        until(lambda: "Entering BACKUP STATE" in log.read_text(), PATIENCE, told)

    def listens(self, ours: Director) -> None:
        """Wait until we have begun to listen."""
        sockets = "/proc/net/raw" if self.dialect.family == 4 else "/proc/net/raw6"
        told = f"{ours.node.name} listens"
        until(lambda: ":0070 " in ours.node.run("cat", sockets).stdout, PATIENCE, told)

    def forget(self, peer: Director) -> None:
        """Remove what a killed keepalived has left behind."""
        vip = self.dialect.vip
        peer.node.ip(f"addr del {vip}/{vip.max_prefixlen} dev eth0")

    def hurried(self, name: str, since: float, heir: str) -> float:
        """Wait until one said priority 0; return when the other one's skew has passed then."""
        until(lambda: self.seen.gave_up(name, since), PATIENCE, f"{name} gives up")
        return (self.seen.gave_up(name, since) or math.inf) + self.skew(heir)

    def skew(self, name: str) -> float:
        """Return the skew of a director as it is now."""
        return self.dialect.skew(self.priorities[name])

    def patience(self, name: str) -> float:
        """Return how long a director waits for a silent master as it is now."""
        return self.dialect.patience(self.priorities[name])

    def neighbour(self, address: "IpAddress") -> str | None:
        """Return the hardware address that the client's neighbour cache has for the address."""
        return neighbour(self.client, address)

    def _is_known(self, name: str) -> None:
        """Wait until the client's cache follows: it was told, for it does not ask again."""
        mac = {"a": self.a, "b": self.b}[name].mac()
        told = f"the client was told of {name}"
        until(lambda: self.neighbour(self.dialect.vip) == mac, PATIENCE, told)

    @contextmanager
    def keepalived(
        self, director: Director, more: str = "", config: str | None = None
    ) -> Iterator["subprocess.Popen[str]"]:
        """Run keepalived on a director's node instead of LibrA."""
        name = director.node.name
        self.configure(director, more, config)
        argv = ["keepalived", "-n", "-l", "-P", "-f", str(self.files / f"{name}.conf")]
        argv += ["-p", str(self.files / f"{name}.pid"), "-r", str(self.files / f"{name}.vrrp.pid")]
        with (self.files / f"{name}.keepalived").open("w") as log:
            process = director.node.popen(argv, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(10)

    def configure(self, director: Director, more: str = "", config: str | None = None) -> None:
        """Write the config of keepalived."""
        name, number = director.node.name, 1 if director is self.a else 2
        priority = self.priorities[name]
        usual = self.dialect.config(number, priority, more, (self.dialect.vip,))
        (self.files / f"{name}.conf").write_text(usual if config is None else config)


@contextmanager
def table(dialect: Dialect, files: Path) -> Iterator[Table]:
    """Make a network with nothing started, and leave nothing of it."""
    files.mkdir()
    with Topology() as topology, ExitStack() as stack:
        net = topology.network("net")
        a, b, client = (
            topology.node(name, {"eth0": (net, (f"192.0.2.{n}/24", f"2001:db8::{n}/64"))})
            for n, name in enumerate(("a", "b", "client"), 1)
        )
        vip = (Place("eth0", dialect.vip),)
        directors = []
        for number, (node, priority) in enumerate(((a, 150), (b, 100)), 1):
            front = Instance("front", "eth0", 51, priority, vip, preempt=Always())
            order = replace(front, **dialect.order(number))
            log = files / f"{node.name}.log"
            directors.append(Director(node, files / node.name, order, log=log))
            directors[-1].write()
        seen = stack.enter_context(witness(dialect.vip, (a, b), client, cables=True))
        yield Table(dialect, directors[0], directors[1], client, seen, files)
        for director in directors:
            if director.parent is not None:
                director.node.signal(signal.SIGCONT)
                director.stop()


def beside(dialects: Sequence[Dialect], files: Path, story: Callable[[Table], None]) -> None:
    """Play a story in each dialect, side by side: mostly one waits. All of what failed is raised.

    No network comes or goes meanwhile: all networks of a kernel would wait for that.
    """
    with ExitStack() as stack, ThreadPoolExecutor(len(dialects)) as pool:
        made = [stack.enter_context(table(each, files / each.name)) for each in dialects]
        ends = [pool.submit(_play, story, one) for one in made]
        wrong = [end.exception() for end in ends]
    if any(wrong):
        raise BaseExceptionGroup("in some dialects", [one for one in wrong if one])


def _play(story: Callable[[Table], None], one: Table) -> None:
    try:
        story(one)
    except BaseException as wrong:
        wrong.add_note(f"in {one.dialect.name}")
        raise
