"""Which interfaces a node is to have for virtual MACs, beside what it has."""

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from libra_vrrp.interfaces import Interfaces, fold
from libra_vrrp.orders import Instance, Place
from libra_vrrp.rtnetlink import LinkHeld
from libra_vrrp.vmac import Vmac
from libra_vrrp.vmacs import (
    Plan,
    Standing,
    Wanted,
    handed_round,
    index,
    is_ours,
    lack,
    plan,
    standing,
    wanted,
    wanted_by,
)

MAC = bytes.fromhex("00005e000133")
VMAC = Vmac("vrrp4-51")
PLAIN = Instance("front", "eth0", 51, 100, (Place("eth0", IPv4Address("192.0.2.10")),))
ORDER = replace(PLAIN, vmac=VMAC)
ONE = Wanted("vrrp4-51", "eth0", MAC)
ETH0 = LinkHeld(2, "eth0", up=True, mac=bytes(6))
OURS = LinkHeld(7, "vrrp4-51", up=False, mac=MAC, parent=2, group=112)


def known(*links: LinkHeld) -> Interfaces:
    return fold(Interfaces(), links)


def test_an_instance_wants_the_interface_of_its_router() -> None:
    assert wanted_by(ORDER) == ONE
    assert wanted([ORDER, PLAIN]) == {ONE}


@pytest.mark.parametrize(
    ("links", "how"),
    [
        pytest.param((ETH0, OURS), Standing.FITS, id="there"),
        pytest.param((ETH0,), Standing.ABSENT, id="not there yet"),
        pytest.param((ETH0, replace(OURS, parent=3)), Standing.STALE, id="on another parent"),
        pytest.param((ETH0, replace(OURS, mac=MAC[:5] + b"\7")), Standing.STALE, id="other vrid"),
        pytest.param((ETH0, replace(OURS, group=0)), Standing.ALIEN, id="another's macvlan"),
        pytest.param((ETH0, replace(OURS, parent=None)), Standing.ALIEN, id="no macvlan"),
        pytest.param((ETH0, replace(OURS, mac=bytes(6))), Standing.ALIEN, id="another MAC"),
        pytest.param((), Standing.ORPHAN, id="no parent"),
        pytest.param((replace(ETH0, parent=1),), Standing.BARREN, id="the parent is a macvlan"),
    ],
)
def test_what_is_there_is_told_apart(links: tuple[LinkHeld, ...], how: Standing) -> None:
    assert standing(ONE, known(*links)) is how
    why = lack(ONE, how)
    assert (why is None) == (how is Standing.FITS)


def test_what_is_missing_is_made_and_what_nobody_wants_is_removed() -> None:
    other = replace(OURS, index=8, name="vrrp6-51", mac=bytes.fromhex("00005e000233"))
    alien = replace(OURS, index=9, name="vrrp.51", group=0)
    assert plan([ONE], known(ETH0)) == Plan(((ONE, 2),), (), ())
    assert plan([ONE], known(ETH0, OURS, other, alien)) == Plan((), ((ONE, 7),), (8,))
    assert plan([], known(ETH0, OURS, alien)) == Plan((), (), (7,))
    assert plan([ONE], known(ETH0, replace(OURS, parent=3))) == Plan((), (), (7,))


def test_what_is_not_ours_is_never_touched() -> None:
    alien = replace(OURS, group=0)
    assert plan([ONE], known(ETH0, alien)) == Plan((), (), ())
    assert not is_ours(alien)
    assert index(VMAC, known(ETH0, alien)) is None


def test_an_interface_is_found_by_its_name() -> None:
    assert index(VMAC, known(ETH0, OURS)) == 7
    assert index(VMAC, known(ETH0)) is None
    assert index(None, known(ETH0, OURS)) is None


def test_the_complaint_says_what_mends_it() -> None:
    assert lack(ONE, Standing.ALIEN) == (
        "interface vrrp4-51 is not LibrA's: remove it (`ip link del vrrp4-51`), or give the "
        "instance's vmac another name"
    )
    assert lack(ONE, Standing.BARREN) == (
        "interface eth0 is a macvlan itself and carries none: name its parent"
    )
    assert lack(ONE, Standing.ABSENT) == "interface vrrp4-51 does not exist"
    assert lack(ONE, Standing.STALE) == (
        "interface vrrp4-51 is there for another virtual router, and is to go"
    )


def renamed(name: str, old: str | None, new: str | None) -> tuple[Instance, Instance]:
    before, after = (
        replace(PLAIN, name=name, vmac=None if one is None else Vmac(one)) for one in (old, new)
    )
    return before, after


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        pytest.param([("a", "x", "y"), ("b", "y", "x")], {"a", "b"}, id="two swap"),
        pytest.param([("a", "x", "y"), ("b", "y", "z"), ("c", "z", "x")], set("abc"), id="three"),
        pytest.param([("a", "x", "y"), ("b", "y", "z")], set(), id="in a row"),
        pytest.param([("a", "x", "y"), ("b", "y", None)], set(), id="one gives it up"),
        pytest.param([("a", None, "y"), ("b", "y", "z")], set(), id="one had none"),
        pytest.param([("a", "x", "x")], set(), id="one keeps it"),
        pytest.param(
            [("a", "x", "y"), ("b", "y", "x"), ("c", "v", "w"), ("d", "w", "u")],
            {"a", "b"},
            id="others in a row beside them",
        ),
    ],
)
def test_names_that_go_round_are_found(
    changes: list[tuple[str, str | None, str | None]], found: set[str]
) -> None:
    assert handed_round([renamed(*one) for one in changes]) == found
