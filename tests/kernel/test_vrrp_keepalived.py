"""Beside the real keepalived: it honours our advertisements, and we honour its."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from libra_vrrp.router import Never

if TYPE_CHECKING:
    from tests.kernel.conftest import Director, Pair

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(shutil.which("keepalived") is None, reason="keepalived is not installed"),
]

INTERVAL = 0.25
SKEW_OF_100 = (256 - 100) / 256 * INTERVAL
SLACK = 1.0
CONFIG = """
vrrp_instance front {{
  state BACKUP
  interface eth0
  virtual_router_id 51
  version 3
  priority {priority}
  advert_int {interval}
  {more}
  virtual_ipaddress {{
    192.0.2.10/32 {place}
  }}
}}
"""


@contextmanager
def keepalived(
    director: "Director", tmp_path: Path, priority: int, more: str = "", place: str = "dev eth0"
) -> Iterator[int]:
    """Run keepalived on the director's node instead of LibrA; yield its process id."""
    name = director.node.name
    file = tmp_path / f"{name}.conf"
    said = {"priority": priority, "interval": INTERVAL, "more": more, "place": place}
    file.write_text(CONFIG.format(**said))
    argv = ["keepalived", "-n", "-l", "-P", "-f", str(file)]
    argv += ["-p", str(tmp_path / f"{name}.pid"), "-r", str(tmp_path / f"{name}.vrrp.pid")]
    process = director.node.popen(argv)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(10)


def test_a_lower_keepalived_stays_backup_and_takes_over_on_our_priority_zero(
    pair: "Pair", tmp_path: Path
) -> None:
    pair.a.start()
    pair.soon(pair.a.owns, "a owns the address")
    with keepalived(pair.b, tmp_path, 100):
        with pair.client.capture("eth0", "ip proto 112 and src 192.0.2.2") as of_b:
            stays(pair, "a")
            assert of_b.lines == []
        pair.a.stop()
        pair.until(lambda: pair.owners() == ["b"], SKEW_OF_100 + SLACK, "keepalived took over")
        assert pair.pings()


def test_keepalived_takes_over_when_we_are_cut_off(pair: "Pair", tmp_path: Path) -> None:
    pair.a.start()
    pair.soon(pair.a.owns, "a owns the address")
    with keepalived(pair.b, tmp_path, 100):
        stays(pair, "a")
        pair.a.node.cut(silent=True)
        pair.until(pair.b.owns, 3 * INTERVAL + SKEW_OF_100 + SLACK, "keepalived took over")
        pair.a.node.heal()
        pair.soon(lambda: pair.owners() == ["a"], "a alone owns the address")
        pair.soon(lambda: pair.neighbour() in {None, pair.a.mac()}, "the client knows")
        assert pair.pings()


def test_we_stay_backup_of_a_higher_keepalived_and_take_over_on_its_priority_zero(
    pair: "Pair", tmp_path: Path
) -> None:
    with keepalived(pair.a, tmp_path, 150):
        pair.soon(pair.a.owns, "keepalived owns the address")
        with pair.client.capture("eth0", "ip proto 112 and src 192.0.2.2") as of_b:
            pair.b.start()
            stays(pair, "a")
            assert of_b.lines == []
    pair.until(lambda: pair.owners() == ["b"], SKEW_OF_100 + SLACK, "b took over")
    assert pair.pings()


def test_we_preempt_a_lower_keepalived_and_it_gives_way(pair: "Pair", tmp_path: Path) -> None:
    with keepalived(pair.b, tmp_path, 100):
        pair.soon(pair.b.owns, "keepalived owns the address")
        pair.a.start()
        pair.soon(lambda: pair.owners() == ["a"], "a alone owns the address")
        assert pair.pings()
        assert pair.neighbour() == pair.a.mac()


def test_a_higher_keepalived_preempts_us_and_we_give_way(pair: "Pair", tmp_path: Path) -> None:
    pair.b.start()
    pair.soon(pair.b.owns, "b owns the address")
    with keepalived(pair.a, tmp_path, 150):
        pair.soon(lambda: pair.owners() == ["a"], "keepalived alone owns the address")
        assert pair.pings()


def test_without_preemption_we_leave_a_lower_keepalived_alone(pair: "Pair", tmp_path: Path) -> None:
    pair.a.order = replace(pair.a.order, preempt=Never())
    pair.a.write()
    with keepalived(pair.b, tmp_path, 100):
        pair.soon(pair.b.owns, "keepalived owns the address")
        pair.a.start()
        pair.soon(lambda: pair.a.pid("machine"), "the machine runs")
        stays(pair, "b")


def test_a_tie_goes_to_the_higher_address(pair: "Pair", tmp_path: Path) -> None:
    pair.a.start()
    pair.soon(pair.a.owns, "a owns the address")
    with keepalived(pair.b, tmp_path, 150):
        pair.a.node.cut(silent=True)
        pair.soon(lambda: pair.owners() == ["a", "b"], "both own the address")
        pair.a.node.heal()
        pair.soon(lambda: pair.owners() == ["b"], "the higher address won")


def stays(pair: "Pair", owner: str) -> None:
    """Look for longer than any backup waits: there is never another owner."""
    until = time.monotonic() + 4 * INTERVAL + SKEW_OF_100
    while time.monotonic() < until:
        assert pair.owners() == [owner]
