"""IPv6 beside the real keepalived: it honours our advertisements, and we honour its.

It lists the link-local address last, we list it first (RFC 9568 section 5.2.9): both are taken.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.kernel.conftest import LOCAL, MORE, SIX

if TYPE_CHECKING:
    from tests.kernel.conftest import Director, Pair

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(shutil.which("keepalived") is None, reason="keepalived is not installed"),
]

INTERVAL = 0.25
SKEW_OF_100 = (256 - 100) / 256 * INTERVAL
SLACK = 1.0
CONFIG = f"""
vrrp_instance front {{{{
  state BACKUP
  interface eth0
  virtual_router_id 51
  version 3
  priority {{priority}}
  advert_int {INTERVAL}
  virtual_ipaddress {{{{
    {SIX}/128 dev eth0
    {LOCAL}/128 dev eth0
  }}}}
  virtual_ipaddress_excluded {{{{
    {MORE}/128 dev eth0
  }}}}
}}}}
"""


@contextmanager
def keepalived(director: "Director", tmp_path: Path, priority: int) -> Iterator[None]:
    """Run keepalived on the director's node instead of LibrA."""
    name = director.node.name
    file = tmp_path / f"{name}.conf"
    file.write_text(CONFIG.format(priority=priority))
    argv = ["keepalived", "-n", "-l", "-P", "-f", str(file)]
    argv += ["-p", str(tmp_path / f"{name}.pid"), "-r", str(tmp_path / f"{name}.vrrp.pid")]
    process = director.node.popen(argv)
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


def is_told(pair: "Pair", director: "Director") -> None:
    """Wait until the client reaches every address, and knows them as the director's."""
    for address in (SIX, MORE):
        pair.soon(partial(pair.pings, address), f"{address} answers")
        assert pair.neighbour(address) == director.mac()


def test_a_lower_keepalived_gives_way_and_takes_over_on_our_priority_zero(
    six: "Pair", tmp_path: Path
) -> None:
    with keepalived(six.b, tmp_path, 100):
        six.soon(lambda: six.b.owns(SIX), "keepalived owns the address")
        six.a.start()
        six.soon(partial(six.is_owned_by, "a", SIX), "a alone owns the address")
        is_told(six, six.a)
        six.a.stop()
        took = partial(six.is_owned_by, "b", SIX)
        six.until(took, SKEW_OF_100 + SLACK, "keepalived took over")
        is_told(six, six.b)


def test_keepalived_takes_over_when_we_are_cut_off(six: "Pair", tmp_path: Path) -> None:
    six.a.start()
    six.soon(lambda: six.a.owns(SIX), "a owns the address")
    with keepalived(six.b, tmp_path, 100):
        six.a.node.cut(silent=True)
        six.until(partial(six.b.owns, SIX), 3 * INTERVAL + SKEW_OF_100 + SLACK, "it took over")
        six.a.node.heal()
        six.soon(partial(six.is_owned_by, "a", SIX), "a alone owns the address")
        is_told(six, six.a)


def test_a_higher_keepalived_preempts_us_and_we_take_over_on_its_priority_zero(
    six: "Pair", tmp_path: Path
) -> None:
    six.b.start()
    six.soon(lambda: six.b.owns(SIX), "b owns the address")
    with keepalived(six.a, tmp_path, 150):
        six.soon(partial(six.is_owned_by, "a", SIX), "keepalived alone owns the address")
        is_told(six, six.a)
    took = partial(six.is_owned_by, "b", SIX)
    six.until(took, SKEW_OF_100 + SLACK, "b took over")
    is_told(six, six.b)
