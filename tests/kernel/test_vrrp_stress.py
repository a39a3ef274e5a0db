"""A master that others make wait: its adverts go out all the same."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from libra_vrrp import kept
from libra_vrrp.orders import Instance, Place

if TYPE_CHECKING:
    from tests.kernel.conftest import Director, Pair

    from libra_lab.node import Node

pytestmark = pytest.mark.network

SECOND = IPv4Address("192.0.2.11")
HELD = 1.0
"""Seconds; more than the backup waits (three intervals and its skew), less than the lease."""


@contextmanager
def rtnl_held(node: "Node", interface: str = "eth0") -> Iterator[None]:
    """Hold the RTNL lock of the kernel for `HELD` seconds from here on."""
    words = [sys.executable, str(Path(__file__).with_name("rtnl.py")), node.namespace, interface]
    with subprocess.Popen([*words, str(HELD)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        began = time.monotonic()
        yield
        assert holder.wait(10) == 0
        assert time.monotonic() - began > HELD * 0.9


def write(director: "Director", *instances: Instance) -> None:
    """Write a list of routers and have the machine read it."""
    file = director.state / "vrrp" / "routers.jsonl"
    file.write_bytes(kept.dump_instances(instances))
    director.signal(signal.SIGHUP, "machine")


def with_inside(pair: "Pair") -> Instance:
    """Give a another interface, and return an instance for it."""
    pair.a.node.ip(
        "link add in0 type veth peer name in1",
        "link set in0 up",
        "link set in1 up",
        "addr add 10.77.0.1/24 dev in0",
    )
    there = (Place("in0", IPv4Address("10.77.0.9")),)
    return replace(pair.a.order, name="inside", interface="in0", vrid=52, places=there)


def test_a_held_rtnl_lock_keeps_no_advert_back(pair: "Pair") -> None:
    pair.start()
    with pair.client.capture("eth0", "ip proto 112 and src 192.0.2.2") as of_b:
        with rtnl_held(pair.client):
            pass
        assert pair.owners() == ["a"]
    assert of_b.lines == []


def test_a_new_instance_waits_for_the_rtnl_lock_and_the_others_do_not(pair: "Pair") -> None:
    """To join a group on another interface waits for the lock."""
    pair.start()
    inside = with_inside(pair)
    with pair.client.capture("eth0", "ip proto 112 and src 192.0.2.2") as of_b:
        with rtnl_held(pair.client):
            write(pair.a, pair.a.order, inside)
        pair.soon(lambda: pair.a.owns(IPv4Address("10.77.0.9"), "in0"), "the new one is master")
        assert pair.owners() == ["a"]
    assert of_b.lines == []


def test_after_an_overrun_under_the_rtnl_lock_the_machine_hears_again(pair: "Pair") -> None:
    """More is told than the stopped machine can hold, and to list anew waits for the lock."""
    pair.start()
    machine = pair.a.pid("machine")
    assert machine is not None
    pair.a.signal(signal.SIGSTOP, "parent", "machine")
    pair.soon(lambda: pair.owners() == ["b"], "b alone owns the address")
    line = "addr {} 10.200.{}.{}/32 dev lo"
    pair.a.node.ip(
        *(line.format(verb, i // 250, i % 250) for verb in ("add", "del") * 4 for i in range(2500))
    )
    with rtnl_held(pair.client):
        pair.a.signal(signal.SIGCONT, "machine", "parent")
    pair.soon(lambda: pair.owners() == ["a"], "a alone owns the address again")
    pair.a.node.ip("link set eth0 down")
    pair.soon(lambda: pair.owners() == ["b"], "a hears of its interface again")
    assert pair.a.pid("machine") == machine


def test_nonsense_in_the_list_changes_nothing(pair: "Pair") -> None:
    pair.start()
    machine = pair.a.pid("machine")
    for wrong in (replace(pair.a.order, vrid=300), replace(pair.a.order, interval=0.0)):
        write(pair.a, wrong)
    second = replace(pair.a.order, places=(*pair.a.order.places, Place("eth0", SECOND)))
    write(pair.a, second)
    pair.soon(lambda: pair.a.owns(SECOND), "the next list that makes sense is taken")
    assert pair.a.pid("machine") == machine
    assert pair.owners() == ["a"]


def test_promote_secondaries_switched_off_under_a_master_is_set_again(pair: "Pair") -> None:
    pair.start()
    name = "net.ipv4.conf.eth0.promote_secondaries"
    pair.a.node.sysctl({name: 0})
    pair.soon(lambda: pair.a.node.sysctl_value(name) == "1", "it is set again")
    assert pair.owners() == ["a"]
