"""Seals of a node: key files come, change and go bad; a router without its key says nothing."""

import gc
import selectors
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from ipaddress import IPv4Address
from pathlib import Path
from types import ModuleType

import pytest

from libra_schemas.seal_keys import dumps
from libra_vrrp.codec import Datagram
from libra_vrrp.orders import Instance, Place, Seal
from libra_vrrp.rtnetlink import IpAddress
from libra_vrrp.seal.datagram import decode, is_sealed
from libra_vrrp.seal.names import context, router_tag
from libra_vrrp.seal.outcome import Dropped, Opened, Reason
from libra_vrrp.shell import seals, starts
from libra_vrrp.shell.seals import LOOK, Seals, starts_of

KEY, NEW = bytes(range(32)), bytes(range(32, 64))
VIP = IPv4Address("192.0.2.10")
PLAIN = Instance("front", "eth0", 51, 150, (Place("eth0", VIP),))
SAID = Datagram(IPv4Address("192.0.2.1"), IPv4Address("224.0.0.18"), b"\x31\x33")
GUARD = 60.0


class Node:
    """Seals with the loop that a machine would turn."""

    def __init__(self, state: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LIBRA_NODE", name)
        self.alarms = list[tuple[str, str]]()
        self.changes = 0
        self._selector = selectors.DefaultSelector()
        self._acts = list[Callable[[float], None]]()
        self.now = 0.0
        self.seals = Seals(state / name / "starts.json", self, self._wait, self._changed)

    def _wait(self, descriptor: int, act: Callable[[float], None]) -> None:
        self._acts.append(act)
        self._selector.register(descriptor, selectors.EVENT_READ)

    def _changed(self, _now: float) -> None:
        self.changes += 1

    def alarm(
        self, _instance: str, kind: str, _peer: IpAddress | None, detail: str, _reason: str = ""
    ) -> None:
        self.alarms.append((kind, detail))

    def until(self, holds: Callable[[], object]) -> None:
        end = time.monotonic() + GUARD
        while not holds():
            assert time.monotonic() < end, "nothing happened"
            self._selector.select(0.1)
            for act in self._acts:
                act(self.now)

    def looks_again(self, holds: Callable[[], object]) -> None:
        self.now += LOOK
        self.seals.tend(self.now)
        self.until(holds)

    def opened(self, order: Instance) -> None:
        self.seals.order([order], self.now)
        self.until(lambda: not self.seals.is_opening(order))


def write(file: Path, *keys: bytes) -> None:
    file.write_text(dumps(keys))
    file.chmod(0o600)


@pytest.fixture
def order(tmp_path: Path) -> Instance:
    write(tmp_path / "key", KEY)
    return replace(PLAIN, seal=Seal(str(tmp_path / "key")))


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    yield Node(tmp_path, "a", monkeypatch)
    gc.unfreeze()


def test_a_node_without_a_seal_does_nothing(node: Node, tmp_path: Path) -> None:
    node.seals.order([PLAIN], 0.0)
    assert node.seals.dress(PLAIN, SAID, 0.0) == (SAID,)
    assert (node.seals.wake_at(), node.seals.due_at("front")) == (float("inf"), float("inf"))
    assert not node.seals.is_opening(PLAIN)
    assert node.seals.fault(PLAIN) is None
    assert not (tmp_path / "a").exists()


def test_before_its_key_and_start_are_there_a_router_says_nothing(
    node: Node, order: Instance
) -> None:
    node.seals.order([order], 0.0)
    assert node.seals.is_opening(order)
    assert node.seals.dress(order, SAID, 0.0) == ()
    assert node.seals.open(order, SAID, 0.0) is None
    node.until(lambda: not node.seals.is_opening(order))
    (sealed,) = node.seals.dress(order, SAID, 0.0)
    assert is_sealed(sealed.message)
    assert (sealed.source, sealed.destination) == (SAID.source, SAID.destination)
    assert node.changes == 3


def test_two_nodes_talk(
    node: Node, order: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Node(tmp_path, "b", monkeypatch)
    node.opened(order)
    other.opened(order)
    (asked,) = other.seals.dress(order, replace(SAID, message=b""), 0.0)
    assert node.seals.named(asked.message[2:6]) == "front"
    assert node.seals.open(order, asked, 0.0) == Dropped(Reason.UNANSWERED, hurry=True)
    (said,) = node.seals.dress(order, SAID, 0.0)
    heard = other.seals.open(order, said, 0.0)
    assert isinstance(heard, Opened)
    assert heard.message == SAID.message
    assert node.seals.named(b"else") is None


def test_in_plain_too_while_that_is_accepted(node: Node, order: Instance) -> None:
    assert order.seal is not None
    accepting = replace(order, seal=replace(order.seal, is_required=False))
    node.opened(accepting)
    sealed, plain = node.seals.dress(accepting, SAID, 0.0)
    assert (is_sealed(sealed.message), plain) == (True, SAID)
    assert len(node.seals.dress(accepting, replace(SAID, message=b""), 0.0)) == 1


def test_a_file_that_cannot_be_used_is_a_fault_until_it_can(node: Node, order: Instance) -> None:
    assert order.seal is not None
    file = Path(order.seal.key_file)
    file.chmod(0o644)
    node.opened(order)
    assert "chmod 600" in str(node.seals.fault(order))
    assert [kind for kind, detail in node.alarms if "chmod" in detail] == ["seal"]
    assert node.seals.dress(order, SAID, 0.0) == ()
    file.chmod(0o600)
    node.looks_again(lambda: node.seals.fault(order) is None)
    assert len(node.seals.dress(order, SAID, 0.0)) == 1


def test_a_file_that_went_bad_is_told_and_the_keys_are_kept(node: Node, order: Instance) -> None:
    assert order.seal is not None
    node.opened(order)
    Path(order.seal.key_file).unlink()
    node.alarms.clear()
    node.looks_again(lambda: node.alarms)
    assert node.alarms[0][0] == "seal"
    assert "No such file" in node.alarms[0][1]
    assert node.seals.fault(order) is None
    assert len(node.seals.dress(order, SAID, 0.0)) == 1


def test_a_key_that_changed_is_used_in_the_same_session(node: Node, order: Instance) -> None:
    assert order.seal is not None
    node.opened(order)
    (before,) = node.seals.dress(order, SAID, 0.0)
    write(Path(order.seal.key_file), NEW, KEY)
    changes = node.changes
    node.looks_again(lambda: node.changes > changes)
    (after,) = node.seals.dress(order, SAID, 0.0)
    old, new = decode(before.message)[0], decode(after.message)[0]
    assert (new.session, new.counter) == (old.session, 1)
    assert new.key != old.key


def test_a_router_that_comes_back_has_another_session(node: Node, order: Instance) -> None:
    """The counters of one and the same session would begin anew."""
    node.opened(order)
    (before,) = node.seals.dress(order, SAID, 0.0)
    node.seals.order([], 0.0)
    assert node.seals.due_at("front") == float("inf")
    node.opened(order)
    (after,) = node.seals.dress(order, SAID, 0.0)
    node.opened(replace(order, vrid=52))
    (moved,) = node.seals.dress(replace(order, vrid=52), SAID, 0.0)
    salts = {decode(one.message)[0].session.salt for one in (before, after, moved)}
    assert len(salts) == 3


def test_a_state_disk_that_hangs_keeps_no_sealed_router_from_its_key(
    node: Node, order: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()

    def hang(*_: object) -> None:
        released.wait(2 * GUARD)

    monkeypatch.setattr(starts, "keep", hang)
    try:
        node.seals.order([order], node.now)
        node.now += starts.PATIENCE
        node.seals.tend(node.now)
        node.until(lambda: not node.seals.is_opening(order))
        assert len(node.seals.dress(order, SAID, node.now)) == 1
    finally:
        released.set()


def test_the_cipher_is_imported_aside(
    node: Node, order: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the loop it would hold up the adverts of every master for tens of milliseconds."""
    importing = set[int]()

    def importer(name: str) -> ModuleType:
        importing.add(threading.get_ident())
        return import_module(name)

    gc.unfreeze()
    monkeypatch.setattr(seals, "import_module", importer)
    node.opened(order)
    assert gc.get_freeze_count() > 0
    assert len(node.seals.dress(order, SAID, 0.0)) == 1
    assert importing
    assert threading.get_ident() not in importing


def test_a_key_that_is_to_come_is_looked_for_and_its_lack_told(node: Node, order: Instance) -> None:
    assert order.seal is not None
    file = Path(order.seal.key_file)
    file.unlink()
    change = PLAIN, order
    assert node.seals.is_early(change)
    node.seals.order([PLAIN], 0.0, [change])
    node.until(lambda: any("No such file" in detail for _, detail in node.alarms))
    assert "(it goes on as it was until the key is there; should a peer" in node.alarms[-1][1]
    assert node.seals.is_early(change)
    assert node.seals.dress(PLAIN, SAID, 0.0) == (SAID,)
    write(file, KEY)
    node.looks_again(lambda: not node.seals.is_early(change))


def test_who_hears_a_peer_seal_looks_at_once_and_waits_no_more_for_a_key_that_is_not_there(
    node: Node, order: Instance
) -> None:
    assert order.seal is not None
    Path(order.seal.key_file).unlink()
    change, tag = (PLAIN, order), router_tag(context("front", 51, 4))
    node.seals.order([PLAIN], 0.0, [change])
    node.until(lambda: node.alarms)
    node.now = LOOK / 2
    node.seals.passed_by(tag, node.now)
    assert node.seals.wake_at() == node.now
    node.seals.tend(node.now)
    node.until(lambda: not node.seals.is_early(change))
    node.seals.passed_by(tag, node.now)
    assert node.seals.wake_at() > node.now


def test_a_key_that_came_just_before_a_peer_sealed_is_used(node: Node, order: Instance) -> None:
    assert order.seal is not None
    file = Path(order.seal.key_file)
    file.unlink()
    change = PLAIN, order
    node.seals.order([PLAIN], 0.0, [change])
    node.until(lambda: node.alarms)
    write(file, KEY)
    node.seals.passed_by(router_tag(context("front", 51, 4)), node.now)
    node.seals.tend(node.now)
    node.until(lambda: not node.seals.is_early(change))
    assert node.seals.fault(order) is None


def test_a_router_that_cannot_seal_as_it_is_waits_for_no_other_key(
    node: Node, order: Instance, tmp_path: Path
) -> None:
    assert order.seal is not None
    Path(order.seal.key_file).unlink()
    node.opened(order)
    assert not node.seals.is_early((order, replace(order, seal=Seal(str(tmp_path / "other")))))


def test_the_state_file_lies_where_the_reporter_cannot_write() -> None:
    routers = Path("/var/lib/libra/a/vrrp/routers.jsonl")
    assert starts_of(routers) == Path("/var/lib/libra/a/vrrp-seal/starts.json")
