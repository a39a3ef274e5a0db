"""The virtual router's own MAC: neighbours notice no failover, and nobody else bears it."""

import json
import re
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from tests.kernel.conftest import INTERVAL, SIX, VIP, Director, Pair, number
from tests.kernel.stages import strike
from tests.kernel.test_vrrp_restart import terms_for
from tests.kernel.test_vrrp_seal import seal as give_seal

from libra_lab.capture import Capture
from libra_vrrp.kept import dump_instances
from libra_vrrp.lease import Terms
from libra_vrrp.orders import Instance, Place
from libra_vrrp.rtnetlink import IpAddress
from libra_vrrp.vmac import Vmac

pytestmark = pytest.mark.network

NAME, NAME6 = "vrrp4-51", "vrrp6-51"
MAC, MAC6 = "00:00:5e:00:01:33", "00:00:5e:00:02:33"
LEASE = 2.0
OTHER = IPv4Address("192.0.2.11")
WAIT = 6 * INTERVAL
"""Longer than any backup waits."""


def veiled(order: Instance, *, xmit_base: bool = False) -> Instance:
    """Return an order with its addresses behind a virtual MAC."""
    name = NAME if order.family == 4 else NAME6
    places = tuple(Place(name, place.address) for place in order.places)
    return replace(order, places=places, vmac=Vmac(name, xmit_base))


@pytest.fixture
def veil(pair: Pair) -> Pair:
    """Give the pair a virtual MAC."""
    for director in (pair.a, pair.b):
        director.order = veiled(director.order)
        director.write()
    return pair


@pytest.fixture
def both(veil: Pair) -> Pair:
    """Give it IPv6 beside."""
    number(veil)
    for director in (veil.a, veil.b):
        six = replace(director.order, name="front-ipv6", places=(Place("eth0", SIX),), vmac=None)
        director.others = (veiled(six),)
        director.write()
    return veil


def holds(director: Director, address: IpAddress = VIP, name: str = NAME) -> bool:
    """Say whether a director has the address, on the interface of the virtual MAC."""
    shown = director.node.run("ip", "-j", "addr", "show", "dev", name, check=False).stdout
    told = json.loads(shown or "[]")
    return str(address) in [info["local"] for link in told for info in link["addr_info"]]


def is_owned_by(pair: Pair, name: str, address: IpAddress = VIP, on: str = NAME) -> bool:
    return [d.node.name for d in (pair.a, pair.b) if holds(d, address, on)] == [name]


def begin(pair: Pair) -> None:
    """Start both; a is master, the client has asked once, and b is ready."""
    pair.b.start()
    pair.a.start()
    pair.soon(lambda: is_owned_by(pair, "a"), "a alone owns the address")
    pair.soon(pair.pings, "the client reaches the address")
    pair.soon(pair.b.listens, "b listens")


def links(director: Director) -> dict[str, dict[str, object]]:
    """Return the interfaces of a director."""
    return {one["ifname"]: one for one in json.loads(director.node.run("ip", "-j", "link").stdout)}


def is_down(director: Director, name: str = NAME) -> bool:
    link = links(director).get(name)
    return link is not None and "UP" not in str(link["flags"]).split("'")


@contextmanager
def leaving(director: Director, what: str = "") -> Iterator[Capture]:
    """Capture what leaves a director's own cable, with Ethernet addresses."""
    with director.node.capture("eth0", what, "-e", "-Q", "out") as seen:
        yield seen


def sources(lines: list[str]) -> set[str]:
    """Return the Ethernet sources of what was captured."""
    found = (re.search(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}", line) for line in lines)
    return {one[0] for one in found if one}


def comes(said: Capture, source: set[str]) -> bool:
    """Say whether something was captured of those sources."""
    return bool(sources(said.lines) & source)


def stays(pair: Pair, name: str) -> None:
    """Look for longer than any backup waits: there is never another owner."""
    until_then = time.monotonic() + 4 * pair.b.order.interval
    while time.monotonic() < until_then:
        assert is_owned_by(pair, name)


def test_the_client_keeps_its_neighbour_over_a_failover_and_back(veil: Pair) -> None:
    begin(veil)
    assert veil.neighbour() == MAC
    with veil.client.capture("eth0", "arp", "-e") as told:
        strike(veil.a)
        veil.soon(lambda: is_owned_by(veil, "b"), "b alone owns the address")
        assert veil.neighbour() == MAC
        veil.soon(veil.pings, "the client reaches the address")
        veil.a.start()
        veil.soon(lambda: is_owned_by(veil, "a"), "a alone owns the address again")
        veil.soon(veil.pings, "the client reaches the address")
    about = [line for line in told.lines if f"tell {VIP}" in line or f"{VIP} is-at" in line]
    assert sources(about) == {MAC}
    assert veil.neighbour() == MAC


def test_a_master_speaks_from_the_virtual_mac_and_a_backup_never_does(both: Pair) -> None:
    both.a.start()
    both.soon(lambda: is_owned_by(both, "a"), "a owns the address")
    both.soon(lambda: is_owned_by(both, "a", SIX, NAME6), "a owns the IPv6 address")
    with leaving(both.b, f"ether src {MAC} or ether src {MAC6}") as of_b:
        both.b.start()
        both.soon(both.b.listens, "b listens")
        with leaving(both.a, "ip proto 112 or ip6 proto 112") as of_a:
            of_a.wait_for("224.0.0.18")
            of_a.wait_for("ff02::12")
        both.soon(both.pings, "the client reaches the address")
        both.soon(lambda: both.pings(SIX), "the client reaches the IPv6 address")
        time.sleep(WAIT)
        assert of_b.lines == []
    four = [line for line in of_a.lines if "224.0.0.18" in line]
    six = [line for line in of_a.lines if "ff02::12" in line]
    assert (sources(four), sources(six)) == ({MAC}, {MAC6})
    assert (both.neighbour(), both.neighbour(SIX)) == (MAC, MAC6)
    assert is_down(both.b)
    assert is_down(both.b, NAME6)


def test_the_old_master_says_nothing_from_the_virtual_mac_once_the_new_one_is_there(
    both: Pair,
) -> None:
    both.b.start()
    both.soon(lambda: is_owned_by(both, "b", SIX, NAME6), "b owns the IPv6 address")
    both.soon(lambda: is_owned_by(both, "b"), "b owns the address")
    both.a.start()
    both.soon(lambda: is_owned_by(both, "a", SIX, NAME6), "a alone owns the IPv6 address")
    both.soon(lambda: is_owned_by(both, "a"), "a alone owns the address")
    both.soon(lambda: is_down(both.b) and is_down(both.b, NAME6), "b's interfaces are down")
    with leaving(both.b, f"ether src {MAC} or ether src {MAC6}") as of_b:
        both.client.run("ping", "-c1", "-W1", "ff02::1%eth0", check=False)
        time.sleep(WAIT)
    assert of_b.lines == []


def test_everybody_asking_is_answered_with_the_one_mac_alone(both: Pair) -> None:
    begin(both)
    both.soon(lambda: is_owned_by(both, "a", SIX, NAME6), "a alone owns the IPv6 address")
    own = both.a.mac()
    for address, mac in ((VIP, MAC), (SIX, MAC6), ("192.0.2.1", own), ("2001:db8::1", own)):
        both.client.ip("neigh flush dev eth0")
        with both.client.capture("eth0", "arp or icmp6", "-e") as seen:
            both.client.run("ping", "-c2", "-i0.2", "-W1", str(address), check=False)
            both.soon(lambda at=address: told(both, at), "the client knows")  # type: ignore[misc]
        answers = [one for one in seen.lines if f"{address} is-at" in one or "advertisement" in one]
        assert told(both, address) == mac
        assert sources([one for one in answers if str(address) in one]) == {mac}


def told(pair: Pair, address: object) -> str | None:
    """Return whom the client has for an address, once it has somebody."""
    shown = pair.client.run("ip", "-j", "neigh", "show", str(address), "dev", "eth0").stdout
    known = json.loads(shown or "[]")
    return known[0].get("lladdr") if known else None


def test_the_host_that_asks_for_the_client_itself_does_not_give_the_address_away(
    veil: Pair,
) -> None:
    begin(veil)
    veil.a.node.ip("neigh flush dev eth0")
    with leaving(veil.a, "arp") as asked:
        veil.a.node.run("ping", "-c1", "-W1", "-I", str(VIP), "192.0.2.100", check=False)
        asked.wait_for("who-has 192.0.2.100")
    from_eth0 = [line for line in asked.lines if veil.a.mac() in sources([line])]
    assert not [line for line in from_eth0 if f"tell {VIP}" in line]
    assert veil.neighbour() == MAC


def test_adverts_come_from_the_base_where_that_is_wanted(veil: Pair) -> None:
    for director in (veil.a, veil.b):
        director.order = replace(director.order, vmac=Vmac(NAME, xmit_base=True))
        director.write()
    begin(veil)
    with leaving(veil.a, "ip proto 112") as said:
        said.wait_for("224.0.0.18")
    assert sources(said.lines) == {veil.a.mac()}
    assert veil.neighbour() == MAC


@pytest.mark.parametrize("seal", [False, True], ids=["plain", "sealed"])
@pytest.mark.parametrize("version", [2, 3])
def test_two_masters_hear_each_other_through_the_same_mac(
    veil: Pair, tmp_path: Path, version: int, *, seal: bool
) -> None:
    for director in (veil.a, veil.b):
        if seal:
            give_seal(director, tmp_path)
        director.order = replace(
            director.order,
            version=version,
            interval=1.0 if version == 2 else INTERVAL,
        )
        director.write()
    begin(veil)
    veil.a.node.cut(silent=True)
    veil.soon(lambda: holds(veil.a) and holds(veil.b), "both own the address")
    veil.a.node.heal()
    veil.soon(lambda: is_owned_by(veil, "a"), "a alone owns the address")
    assert veil.neighbour() == MAC


def test_an_orderly_stop_leaves_nothing(both: Pair) -> None:
    begin(both)
    before = {"lo", "eth0"}
    both.a.stop()
    assert links(both.a).keys() == before
    both.soon(lambda: is_owned_by(both, "b"), "b alone owns the address")
    both.b.stop()
    assert links(both.b).keys() == before


def test_killed_whole_the_address_goes_with_its_lease_and_the_next_start_takes_the_interface(
    veil: Pair,
) -> None:
    begin(veil)
    index = links(veil.a)[NAME]["ifindex"]
    strike(veil.a)
    veil.until(lambda: not holds(veil.a), LEASE + 1.0 + SLACK, "the kernel took it back")
    assert NAME in links(veil.a)
    veil.a.start()
    veil.soon(lambda: is_owned_by(veil, "a"), "a alone owns the address again")
    assert links(veil.a)[NAME]["ifindex"] == index


def test_what_a_killed_one_left_and_nobody_wants_any_more_is_swept(veil: Pair) -> None:
    begin(veil)
    strike(veil.a)
    places = tuple(Place("eth0", place.address) for place in veil.a.order.places)
    veil.a.order = replace(veil.a.order, places=places, vmac=None)
    veil.a.write()
    veil.a.start()
    veil.soon(lambda: NAME not in links(veil.a), "the interface is gone")
    veil.soon(veil.a.owns, "a owns the address on eth0")


def begin_without_instances(director: Director) -> None:
    """Start a director whose config has none (any more)."""
    director.write()
    (director.state / "vrrp" / "routers.jsonl").write_bytes(dump_instances(()))
    director.start()


def test_what_a_killed_one_left_is_swept_where_the_config_has_no_instance_any_more(
    veil: Pair,
) -> None:
    begin(veil)
    strike(veil.a)
    assert NAME in links(veil.a)
    begin_without_instances(veil.a)
    veil.soon(lambda: NAME not in links(veil.a), "the interface is gone")
    other = replace(veil.a, state=veil.a.state / "other", parent=None)
    other.write()
    other.start()
    veil.soon(lambda: is_owned_by(veil, "a"), "who has instances here is not kept from them")
    other.stop()


def test_two_that_swap_the_names_of_their_interfaces_have_them_in_the_end(
    veil: Pair, tmp_path: Path
) -> None:
    """They waited for each other for ever."""
    others = Place("vrrp4-52", OTHER)
    second = replace(veil.a.order, name="back", vrid=52, places=(others,), vmac=Vmac("vrrp4-52"))
    veil.a.others, veil.a.log = (second,), tmp_path / "a.log"
    veil.a.write()
    veil.a.start()
    veil.soon(lambda: holds(veil.a) and holds(veil.a, OTHER, "vrrp4-52"), "a has both")
    veil.a.order, veil.a.others = (
        replace(veil.a.order, places=(Place("vrrp4-52", VIP),), vmac=second.vmac),
        (replace(second, places=(Place(NAME, OTHER),), vmac=veil.a.order.vmac),),
    )
    veil.a.reload()
    veil.soon(lambda: holds(veil.a, VIP, "vrrp4-52"), "the first is on the interface of the second")
    veil.soon(lambda: holds(veil.a, OTHER), "the second is on the interface of the first")
    assert links(veil.a)["vrrp4-52"]["address"] == MAC
    assert links(veil.a)[NAME]["address"] == MAC[:-2] + "34"
    veil.soon(veil.pings, "the client reaches the first address")
    assert veil.neighbour() == MAC


def test_an_interface_gets_no_address_of_its_own_whoever_wants_one(both: Pair) -> None:
    begin(both)

    def mode() -> object:
        shown = both.a.node.run("ip", "-d", "-j", "link", "show", "dev", NAME).stdout
        return json.loads(shown)[0]["inet6_addr_gen_mode"]

    assert mode() == "none"
    both.a.node.ip(f"link set {NAME} addrgenmode eui64", f"link set {NAME} promisc on")
    both.soon(lambda: mode() == "none", "it is to have none again")
    assert is_owned_by(both, "a")


def slow_down(pair: Pair, interval: float) -> None:
    """Give both an interval, in seconds, that leaves time to start anew on a busy machine."""
    for director in (pair.a, pair.b):
        director.order = replace(director.order, interval=interval, terms=terms_for(interval))
        director.write()


def test_a_killed_machine_is_adopted_and_its_interface_with_it(veil: Pair) -> None:
    slow_down(veil, 1.0)
    begin(veil)
    index, before = links(veil.a)[NAME]["ifindex"], veil.a.pid("machine")
    with leaving(veil.b, "ip proto 112") as of_b:
        veil.a.signal(signal.SIGKILL, "machine")
        veil.soon(lambda: veil.a.pid("machine") not in {None, before}, "another machine runs")
        stays(veil, "a")
    assert links(veil.a)[NAME]["ifindex"] == index
    assert of_b.lines == []


def test_a_machine_that_hangs_loses_the_address_and_the_interface_is_down(veil: Pair) -> None:
    begin(veil)
    veil.a.signal(signal.SIGSTOP, "machine")
    veil.soon(lambda: is_owned_by(veil, "b"), "b alone owns the address")
    veil.soon(lambda: is_owned_by(veil, "a"), "the next machine takes over again")
    assert veil.neighbour() == MAC


@pytest.mark.parametrize("told", [signal.SIGUSR1, signal.SIGUSR2])
def test_a_planned_restart_keeps_the_interface(veil: Pair, told: signal.Signals) -> None:
    slow_down(veil, 2.0)
    begin(veil)
    index, before = links(veil.a)[NAME]["ifindex"], veil.a.pid("machine")
    veil.a.signal(told, "parent")
    if told is signal.SIGUSR1:
        assert veil.a.parent is not None
        veil.a.parent.wait(60)
        veil.a.start()
    veil.soon(lambda: veil.a.pid("machine") not in {None, before}, "another machine runs")
    stays(veil, "a")
    assert links(veil.a)[NAME]["ifindex"] == index


def test_an_interface_of_that_name_that_is_not_ours_is_left_alone(
    veil: Pair, tmp_path: Path
) -> None:
    veil.a.node.ip(f"link add {NAME} link eth0 type macvlan mode private")
    before = links(veil.a)[NAME]
    veil.a.log = tmp_path / "a.log"
    veil.b.start()
    veil.a.start()
    veil.soon(lambda: is_owned_by(veil, "b"), "b owns the address")
    veil.soon(veil.a.listens, "a listens")
    stays(veil, "b")
    assert links(veil.a)[NAME] == before
    veil.a.node.ip(f"link del {NAME}")
    veil.soon(lambda: is_owned_by(veil, "a"), "a owns the address once the name is free")
    veil.a.node.ip(f"link set {NAME} down")
    veil.soon(lambda: is_owned_by(veil, "a"), "somebody set it down, and it is up again")


def test_a_parent_that_can_carry_none_is_a_fault_that_says_so(veil: Pair, tmp_path: Path) -> None:
    veil.a.node.ip("link add br0 type bridge", "link set eth0 master br0")
    veil.a.log = tmp_path / "a.log"
    veil.a.start()
    why = f"no interface {NAME} on eth0: "
    veil.soon(lambda: why in veil.a.log.read_text(), "it says what is wrong")  # type: ignore[union-attr]
    assert NAME not in links(veil.a)
    veil.a.node.ip("link set eth0 nomaster")
    veil.soon(lambda: is_owned_by(veil, "a"), "a owns the address once it can")


def test_an_interface_that_somebody_removes_is_made_again(veil: Pair) -> None:
    begin(veil)
    veil.a.node.ip(f"link del {NAME}")
    veil.soon(lambda: NAME in links(veil.a), "the interface is there again")
    veil.soon(lambda: is_owned_by(veil, "a"), "a owns the address again")
    veil.soon(veil.pings, "the client reaches the address")
    assert veil.neighbour() == MAC


def test_an_interface_that_somebody_sets_up_on_a_backup_is_set_down(veil: Pair) -> None:
    begin(veil)
    veil.b.node.ip(f"link set {NAME} up")
    veil.soon(lambda: is_down(veil.b), "it is down again")
    stays(veil, "a")


def test_a_parent_that_loses_its_carrier_and_comes_back(veil: Pair) -> None:
    begin(veil)
    veil.a.node.ip("link set eth0 down")
    veil.soon(lambda: is_owned_by(veil, "b"), "b alone owns the address")
    veil.a.node.ip("link set eth0 up")
    veil.soon(lambda: is_owned_by(veil, "a"), "a owns the address again")
    assert veil.neighbour() == MAC


def test_it_is_switched_on_and_off_while_the_master_works(pair: Pair) -> None:
    pair.start()
    pair.soon(pair.pings, "the client reaches the address")
    plain = {"a": pair.a.order, "b": pair.b.order}
    with leaving(pair.a, "ip proto 112 and ip[22] = 0") as given_up:
        for director in (pair.a, pair.b):
            director.order = veiled(director.order)
            director.reload()
        pair.soon(lambda: is_owned_by(pair, "a"), "a alone owns the address, on the interface")
        pair.soon(lambda: pair.neighbour() == MAC, "the client was told")
        assert not pair.a.owns()
        for director in (pair.a, pair.b):
            director.order = plain[director.node.name]
            director.reload()
        pair.soon(lambda: pair.is_owned_by("a"), "a alone owns the address, on eth0")
        pair.soon(lambda: pair.neighbour() == pair.a.mac(), "the client was told")
        pair.soon(lambda: NAME not in links(pair.a), "the interface is gone")
    assert given_up.lines == []


def test_where_adverts_come_from_is_switched_with_the_interface_up(veil: Pair) -> None:
    """It went down with the address, until the next renewal: here for 15 s."""
    for director in (veil.a, veil.b):
        director.order = replace(director.order, terms=Terms(60))
        director.write()
    begin(veil)
    for is_base in (True, False):
        veil.a.order = replace(veil.a.order, vmac=Vmac(NAME, is_base))
        with leaving(veil.a, "ip proto 112") as said:
            veil.a.reload()
            source = {veil.a.mac() if is_base else MAC}
            veil.soon(partial(comes, said, source), "adverts come from there")
        assert is_owned_by(veil, "a")
        assert not is_down(veil.a)
        assert veil.pings()


def test_settings_that_would_answer_wrongly_are_set(veil: Pair) -> None:
    veil.a.node.sysctl(
        {"net.ipv4.conf.all.rp_filter": 1, "net.ipv4.conf.default.rp_filter": 1}
        | {"net.ipv4.conf.eth0.rp_filter": 1, "net.ipv4.conf.eth0.forwarding": 1}
    )
    begin(veil)
    for name, value in (("rp_filter", "2"), ("arp_ignore", "1"), ("forwarding", "1")):
        assert veil.a.node.sysctl_value(f"net.ipv4.conf.{NAME}.{name}") == value
    assert veil.a.node.sysctl_value("net.ipv4.conf.eth0.arp_ignore") == "1"
    assert veil.a.node.sysctl_value("net.ipv4.conf.eth0.arp_announce") == "2"


SKEW_OF_100 = (256 - 100) / 256 * INTERVAL
SLACK = 1.0
KEEPALIVED = """
vrrp_instance front {{
  state BACKUP
  interface eth0
  virtual_router_id 51
  version 3
  priority {priority}
  advert_int {interval}
  {more}
  virtual_ipaddress {{
    192.0.2.10/32
  }}
}}
"""


@contextmanager
def keepalived(director: "Director", tmp_path: Path, priority: int, more: str) -> Iterator[None]:
    """Run keepalived on the director's node instead of LibrA."""
    name = director.node.name
    file = tmp_path / f"{name}.conf"
    file.write_text(KEEPALIVED.format(priority=priority, interval=INTERVAL, more=more))
    argv = ["keepalived", "-n", "-l", "-P", "-f", str(file)]
    argv += ["-p", str(tmp_path / f"{name}.pid"), "-r", str(tmp_path / f"{name}.vrrp.pid")]
    process = director.node.popen(argv)
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


KEPT = pytest.mark.skipif(shutil.which("keepalived") is None, reason="no keepalived here")


@KEPT
@pytest.mark.parametrize("base", ["", "vmac_xmit_base"])
def test_a_keepalived_with_the_same_mac_is_our_backup(
    veil: Pair, tmp_path: Path, base: str
) -> None:
    speak_alike(veil, base)
    veil.b.node.sysctl({"net.ipv4.conf.all.arp_announce": 2})  # keepalived leaves that to others
    veil.a.start()
    veil.soon(lambda: holds(veil.a), "a owns the address")
    veil.soon(veil.pings, "the client reaches the address")
    with keepalived(veil.b, tmp_path, 100, f"use_vmac\n{base}"):
        with veil.client.capture("eth0", "ip proto 112 and src 192.0.2.2") as of_b:
            time.sleep(WAIT)
            assert of_b.lines == []
        strike(veil.a)
        veil.until(
            lambda: answers(veil), 3 * INTERVAL + SKEW_OF_100 + LEASE + SLACK, "it took over"
        )
        veil.a.start()
        veil.soon(lambda: holds(veil.a), "a owns the address again")
        veil.soon(veil.pings, "the client reaches the address")
        assert veil.neighbour() == MAC


@KEPT
@pytest.mark.parametrize("base", ["", "vmac_xmit_base"])
def test_we_are_the_backup_of_a_keepalived_with_the_same_mac(
    veil: Pair, tmp_path: Path, base: str
) -> None:
    speak_alike(veil, base)
    with keepalived(veil.a, tmp_path, 150, f"use_vmac\n{base}"):
        veil.soon(veil.pings, "keepalived has the address")
        veil.b.start()
        veil.soon(veil.b.listens, "b listens")
        until_then = time.monotonic() + WAIT + SKEW_OF_100
        while time.monotonic() < until_then:
            assert not holds(veil.b)
        veil.a.node.kill()
        veil.until(lambda: holds(veil.b), 3 * INTERVAL + SKEW_OF_100 + SLACK, "b took over")
    with keepalived(veil.a, tmp_path, 150, f"use_vmac\n{base}"):
        veil.soon(lambda: not holds(veil.b), "b gave way")
        veil.soon(veil.pings, "the client reaches the address")


def answers(pair: Pair) -> bool:
    """Say whether b has the address, on whatever interface, and the client still reaches it."""
    shown = json.loads(pair.b.node.run("ip", "-j", "addr").stdout)
    held = [info["local"] for link in shown for info in link["addr_info"]]
    return str(VIP) in held and pair.pings()


def speak_alike(pair: Pair, base: str) -> None:
    """Say adverts from the MAC from which keepalived does: from the other it hears none."""
    for director in (pair.a, pair.b):
        director.order = replace(director.order, vmac=Vmac(NAME, xmit_base=bool(base)))
        director.write()
