"""Two LibrA machines on a real network: one owner, whatever happens to the other."""

import signal
import subprocess
import sys
import time
from dataclasses import replace
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

import pytest

from libra_vrrp.lease import Terms
from libra_vrrp.orders import Place

if TYPE_CHECKING:
    from tests.kernel.conftest import Pair

pytestmark = pytest.mark.network

INTERVAL = 0.25
SKEW_OF_B = (256 - 100) / 256 * INTERVAL
TAKEOVER = 3 * INTERVAL + SKEW_OF_B
LEASE = 2.0
SLACK = 1.0
"""Seconds that starting programs to look takes on a slow kernel."""


def test_the_higher_priority_is_elected_and_answers(pair: "Pair") -> None:
    pair.start()
    assert pair.pings()
    assert pair.neighbour() == pair.a.mac()


def test_addresses_are_leased_and_without_a_route(pair: "Pair") -> None:
    pair.start()
    shown = pair.a.node.run("ip", "addr", "show", "dev", "eth0").stdout
    assert "192.0.2.10/32 scope global dynamic noprefixroute" in shown
    assert "valid_lft 2sec" in shown or "valid_lft 1sec" in shown
    assert pair.a.node.sysctl_value("net.ipv4.conf.eth0.promote_secondaries") == "1"


def test_an_orderly_stop_hands_over_at_once_and_leaves_nothing(pair: "Pair") -> None:
    pair.start()
    assert pair.pings()
    with pair.client.capture("eth0", "ip proto 112") as seen:
        pair.a.stop()
        seen.wait_for("prio 0")
    pair.until(lambda: pair.owners() == ["b"], SKEW_OF_B + SLACK, "b alone owns the address")
    pair.soon(lambda: pair.neighbour() == pair.b.mac(), "the client knows the new owner")
    assert pair.pings()


def test_a_cut_cable_moves_the_address_and_the_heal_leaves_one_owner(pair: "Pair") -> None:
    pair.start()
    assert pair.pings()
    pair.a.node.cut(silent=True)
    took = pair.until(pair.b.owns, TAKEOVER + SLACK, "b owns the address")
    assert took > 2 * INTERVAL
    pair.soon(lambda: pair.neighbour() == pair.b.mac(), "the client knows the new owner")
    assert pair.pings()
    pair.a.node.heal()
    pair.soon(lambda: pair.owners() == ["a"], "a alone owns the address")
    pair.soon(lambda: pair.neighbour() == pair.a.mac(), "the client knows the old owner")
    assert pair.pings()


def test_a_lost_carrier_is_a_fault_that_gives_the_address_up(pair: "Pair") -> None:
    pair.start()
    pair.a.node.cut()
    pair.until(lambda: pair.owners() == ["b"], TAKEOVER + SLACK, "b alone owns the address")
    pair.a.node.heal()
    pair.soon(lambda: pair.owners() == ["a"], "a alone owns the address")


def test_a_killed_machine_is_replaced_and_one_owner_is_left(pair: "Pair") -> None:
    pair.start()
    before = pair.a.pid("machine")
    pair.a.signal(signal.SIGKILL, "machine")
    pair.soon(lambda: pair.a.pid("machine") not in {None, before}, "another machine runs")
    pair.soon(lambda: pair.owners() == ["a"], "a alone owns the address")
    assert pair.pings()


def test_a_machine_killed_at_a_long_interval_is_adopted_without_a_gap(pair: "Pair") -> None:
    for director in (pair.a, pair.b):
        terms = Terms(duration=10)
        director.order = replace(director.order, interval=2.0, terms=terms)
        director.write()
    pair.start()
    assert pair.pings()
    before = pair.a.pid("machine")
    with pair.client.capture("eth0", "ip proto 112 and src 192.0.2.2") as of_b:
        pair.a.signal(signal.SIGKILL, "machine")
        pair.soon(lambda: pair.a.pid("machine") not in {None, before}, "another runs")
        for _ in range(80):
            assert pair.a.owns()
            time.sleep(0.05)
    assert of_b.lines == []
    assert pair.neighbour() == pair.a.mac()


def test_a_killed_reporter_changes_nothing_for_the_machine(pair: "Pair") -> None:
    pair.start()
    before = pair.a.pid("machine")
    pair.a.signal(signal.SIGKILL, "reporter")
    pair.soon(lambda: pair.a.pid("reporter") is not None, "another reporter runs")
    assert pair.a.pid("machine") == before
    assert pair.owners() == ["a"]


def test_a_stopped_machine_loses_its_lease_and_thaws_without_taking_it_back(pair: "Pair") -> None:
    pair.start()
    pair.a.signal(signal.SIGSTOP, "parent", "machine")
    pair.until(pair.b.owns, TAKEOVER + SLACK, "b owns the address")
    pair.until(
        lambda: not pair.a.owns(), LEASE + 1.0 + SLACK, "the kernel takes the address from a"
    )
    pair.b.order = replace(pair.b.order, priority=200)
    pair.b.stop()
    pair.b.write()
    pair.b.start()
    pair.soon(pair.b.owns, "b owns the address with a higher priority")
    with pair.client.capture("eth0", "ip proto 112 and src 192.0.2.1") as of_a:
        pair.a.signal(signal.SIGCONT, "machine", "parent")
        for _ in range(100):
            assert not pair.a.owns()
            time.sleep(0.01)
    assert of_a.lines == []
    assert pair.owners() == ["b"]


def test_everything_killed_together_is_bounded_by_the_lease(pair: "Pair") -> None:
    pair.start()
    pair.a.node.kill()
    pair.until(pair.b.owns, TAKEOVER + SLACK, "b owns the address")
    pair.until(lambda: pair.owners() == ["b"], LEASE + 1.0 + SLACK, "b alone owns the address")
    assert pair.pings()


def test_the_hosts_own_address_survives_the_end_of_a_lease(pair: "Pair") -> None:
    """The host's address is removed and added again, so that the leased one comes first."""
    pair.start()
    pair.a.node.ip("addr del 192.0.2.1/24 dev eth0", "addr add 192.0.2.1/24 dev eth0")
    pair.soon(lambda: pair.owners() == ["a"], "a alone owns the address again")
    pair.a.node.kill()
    pair.until(lambda: not pair.a.owns(), LEASE + 1.0 + SLACK, "the lease ends")
    assert pair.a.owns(IPv4Address("192.0.2.1"))


def test_an_address_on_another_interface_moves_with_the_instance(pair: "Pair") -> None:
    inside = IPv4Address("10.1.0.1")
    for director in (pair.a, pair.b):
        director.node.ip(
            "link add inside0 type veth peer name inside1",
            "link set inside0 up",
            "link set inside1 up",
        )
        places = (*director.order.places, Place("inside0", inside))
        director.order = replace(director.order, places=places)
        director.write()
    pair.start()
    pair.soon(lambda: pair.a.owns(inside, "inside0"), "a owns the inside address")
    assert not pair.b.owns(inside, "inside0")
    pair.a.stop()
    pair.soon(lambda: pair.b.owns(inside, "inside0"), "b owns the inside address")
    assert not pair.a.owns(inside, "inside0")


def test_a_new_address_is_taken_without_losing_mastership(pair: "Pair") -> None:
    second = IPv4Address("192.0.2.11")
    pair.start()
    with pair.client.capture("eth0", "ip proto 112 and src 192.0.2.2") as of_b:
        for director in (pair.a, pair.b):
            places = (*director.order.places, Place("eth0", second))
            director.order = replace(director.order, places=places)
            director.reload()
        pair.soon(lambda: pair.a.owns(second), "a owns the new address")
        assert pair.a.owns()
    assert of_b.lines == []


def test_an_address_removed_by_hand_comes_back(pair: "Pair") -> None:
    pair.start()
    pair.a.node.ip("addr del 192.0.2.10/32 dev eth0")
    pair.until(pair.a.owns, LEASE / 4 + SLACK, "the next renewal brings it back")
    assert pair.owners() == ["a"]


def test_a_killed_parent_leaves_no_one_behind(pair: "Pair") -> None:
    pair.start()
    pair.a.signal(signal.SIGKILL, "parent")
    pair.until(lambda: pair.owners() == ["b"], SKEW_OF_B + SLACK, "b alone owns the address")
    pair.soon(lambda: pair.a.node.processes() == [], "nothing runs on a")


def test_an_ordinary_user_who_takes_the_name_first_costs_no_address(pair: "Pair") -> None:
    program = """
import os, socket, time
os.setresuid(65534, 65534, 65534)
holder = socket.socket(socket.AF_UNIX)
holder.bind("\\0libra-vrrp")
holder.listen()
print("held", flush=True)
time.sleep(600)
"""
    stranger = pair.a.node.popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    try:
        assert stranger.stdout is not None
        assert stranger.stdout.readline() == "held\n"
        pair.start()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.communicate(timeout=60)
