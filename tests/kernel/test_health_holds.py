"""Holds where hosts vanish without a word: no FIN, no RST, packets are simply gone."""

import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest
from tests.health.shell.test_holds import SERVER, Keeper
from tests.kernel.test_health_probes import firewall

from libra_health.wire import Target
from libra_lab.node import Node
from libra_lab.topology import Topology

pytestmark = pytest.mark.kernel

EVERY, FALL, PORT = 0.5, 3, 80
ASKED = 4.0
"""Seconds until a silent connection is lost: asked after 1 s, then three times a second apart."""
SLACK = 3.0


@dataclass
class Net:
    """A director that holds, and a backend whose server never ends a connection."""

    director: Node
    backend: Node
    keeper: Keeper

    def hold(self, target: Target) -> None:
        """Have the backend up and held."""
        self.keeper.keep(target, every=EVERY, fall=FALL)
        assert self.keeper.next() == (True, "")
        self.keeper.until_held()

    def port(self, target: Target) -> int:
        """Tell from which port of the director the backend is held, 0 where it is not."""
        channel = self.keeper.holds.lines[target].channel
        sock = None if channel is None else channel.sock
        is_held = self.keeper.holds.states()["holding"] == 1
        return int(sock.getsockname()[1]) if is_held and sock is not None else 0


@pytest.fixture
def net() -> Iterator[Net]:
    with Topology() as topology:
        wire = topology.network("wire")
        director = topology.node("d", {"eth0": (wire, ("10.7.0.1/24", "fd00:7::1/64"))})
        backend = topology.node("b", {"eth0": (wire, ("10.7.0.2/24", "fd00:7::2/64"))})
        for address in ("10.7.0.2", "fd00:7::2"):
            command = [sys.executable, "-I", "-c", SERVER, address, str(PORT)]
            server = backend.popen(command, stdout=-1)
            assert server.stdout is not None
            with server.stdout as said:
                assert said.readline() == f"{PORT}\n"
        with closing(_Kept(director.call(Keeper))) as kept:
            yield Net(director, backend, kept.keeper)


@dataclass
class _Kept:
    keeper: Keeper

    def close(self) -> None:
        self.keeper.driver.call(self.keeper.holds.stop)
        self.keeper.driver.stop()
        assert self.keeper.died == []


@pytest.mark.parametrize("address", ["10.7.0.2", "fd00:7::2"])
@pytest.mark.parametrize("silent", [True, False], ids=["behind a switch", "by its own cable"])
def test_a_vanished_host_is_down_by_its_probes_and_held_again_when_it_is_back(
    net: Net, address: str, silent: bool
) -> None:
    target = Target(address, PORT)
    net.hold(target)
    net.backend.cut(silent=silent)
    since = time.monotonic()
    is_up, detail = net.keeper.next()
    assert not is_up
    assert "hold" not in detail
    assert time.monotonic() - since < FALL * EVERY + EVERY + SLACK
    net.keeper.until(lambda: net.port(target) == 0)
    assert time.monotonic() - since < ASKED + SLACK
    net.backend.heal()
    assert net.keeper.next()[0]
    net.keeper.until_held()


def test_a_connection_that_a_firewall_forgot_is_made_anew_and_nobody_is_down(net: Net) -> None:
    target = Target("10.7.0.2", PORT)
    net.hold(target)
    first = net.port(target)
    since = time.monotonic()
    with firewall(net.backend, "iptables", "DROP", "tcp", "--sport", str(first)):
        net.keeper.until(lambda: net.port(target) not in {0, first})
    assert time.monotonic() - since < ASKED + SLACK
    assert net.keeper.told.empty()
    assert net.keeper.holds.lines[target].held.lives == ()  # no idle timeout was learned of it
