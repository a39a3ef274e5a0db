"""What the guard holds of tethers: until it lets go, and never what nobody claims."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from libra_vrrp.guarding import Superseded, Tethered, Untethered
from libra_vrrp.shell import held_tethers
from libra_vrrp.shell.held_tethers import HeldTethers
from libra_vrrp.shell.privileges import MACHINE, lacking


class Far:
    """The far end of a connection, of which the machine has closed its own descriptor."""

    def __init__(self) -> None:
        self.socket, near = socket.socketpair()
        self.socket.setblocking(False)
        self.passed = near.detach()

    @property
    def has_ended(self) -> bool:
        try:
            return self.socket.recv(1) == b""
        except BlockingIOError:
            return False


@pytest.fixture
def ends() -> Iterator[list[Far]]:
    made = [Far() for _ in range(3)]
    yield made
    for one in made:
        one.socket.close()


def holding(*claimed: tuple[str, Far]) -> HeldTethers:
    held = HeldTethers()
    for key, far in claimed:
        held.receive([far.passed])
        held.take(Tethered(key))
    return held


def test_what_the_machine_lets_go_of_ends(ends: list[Far]) -> None:
    one, two, _ = ends
    held = holding(("b 7.1", one), ("b 7.2", two))
    held.take(Untethered("b 7.1"))
    held.take(Untethered("b 7.9"))
    assert (one.has_ended, two.has_ended) == (True, False)
    held.cut()
    assert two.has_ended


def test_what_a_dead_machine_had_goes_when_the_next_one_has_taken_its_place(
    ends: list[Far],
) -> None:
    one, two, three = ends
    held = holding(("b 7.1", one), ("c 7.2", two))
    held.outlive()
    held.receive([three.passed])
    held.take(Tethered("b 8.1"))
    assert not any(end.has_ended for end in ends)
    held.take(Superseded("b"))
    assert [end.has_ended for end in ends] == [True, False, False]
    held.cut()
    assert two.has_ended
    assert three.has_ended


def test_what_no_message_claims_is_closed_with_the_next(ends: list[Far]) -> None:
    one, *_ = ends
    held = HeldTethers()
    held.receive([one.passed])
    assert not one.has_ended
    held.receive([])
    assert one.has_ended
    held.take(Tethered("b 7.1"))
    held.cut()


@pytest.mark.skipif(lacking(MACHINE) is not None, reason="a silent end needs CAP_NET_ADMIN")
def test_what_is_forsaken_ends_without_a_sign_to_the_peer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as port:
        ours = [socket.create_connection(port.getsockname()) for _ in range(3)]
        theirs = [port.accept()[0] for _ in ours]
    held = HeldTethers()
    for number, one in enumerate(ours[:2]):
        held.receive([one.detach()])
        held.take(Tethered(f"b 7.{number}"))
        held.outlive()
    held.forsake()
    ours[2].close()  # loopback keeps the order: by now the others' ends would be there
    assert theirs[2].recv(1) == b""
    for one in theirs[:2]:
        one.setblocking(False)
        with pytest.raises(BlockingIOError):
            one.recv(1)
    for one in theirs:
        one.close()


def test_what_is_no_socket_is_closed(tmp_path: Path) -> None:
    passed = os.open(tmp_path, os.O_RDONLY)
    held = HeldTethers()
    held.receive([passed])
    held.take(Tethered("b 7.1"))
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(passed)


def test_there_is_a_bound(ends: list[Far], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_tethers, "MOST", 2)
    held = holding(*((f"b 7.{number}", end) for number, end in enumerate(ends)))
    held.receive([])
    assert [end.has_ended for end in ends] == [False, False, True]
    held.cut()
