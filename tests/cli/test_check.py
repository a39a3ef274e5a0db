"""`libra check` on files that describe virtual routers which cannot work: where, and what mends it.

Each is what an operator has written, changed in one place; the place told is that of the mistake.
"""

import pytest

from libra_cli.exits import REFUSED
from libra_cli.testing import Host

WORKS = """\
version: 1
nodes:
  a: {address: 10.0.0.2}
  b: {address: 10.0.0.3}
instances:
  front:
    interface: eth0
    vrid: 51
    priority: {a: 150, b: 100}
    preempt: 30s
    interval: 1s
    lease: 2
    seal: {key_file: /etc/libra/seal.key}
    addresses: [192.0.2.10/24]
  back:
    interface: eth0
    vrid: 52
    addresses: [192.0.2.11/24]
"""
BETWEEN = "instances.front.interval: must be between 10ms and 40.95s"
KEY = "instances.front.seal.key_file: is missing (as in key_file: /etc/libra/seal.key)"
LEASE = "instances.front.lease: must be between 2s and 60s"
FRACTION = "instances.front.lease: expected whole seconds such as 2s, not 1.5"


def test_the_config_that_is_spoiled_below_works(host: Host) -> None:
    done = host.libra("check", host.write(WORKS))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("written", "instead", "told"),
    [
        pytest.param(
            "    vrid: 52",
            "    vrid: 51",
            "17:11: instances.back.vrid: instance front has vrid 51 on eth0 already"
            " (choose another number)",
            id="a vrid twice on one interface",
        ),
        pytest.param(
            "a: 150",
            "a: 255",
            "10:14: instances.front.preempt: priority 255 takes over at once, and a has it"
            " (write preempt: true, or a priority of 254 or less)",
            id="an owner that waits before it takes over",
        ),
        pytest.param(
            "interval: 1s",
            "interval: 41s",
            f"11:15: {BETWEEN} (a bare number is in seconds; only version 2 has up to 255s)",
            id="an interval too long for version 3",
        ),
        pytest.param(
            "interval: 1s",
            "interval: 9ms",
            f"11:15: {BETWEEN} (version 2: 1s to 255s)",
            id="an interval too short for any version",
        ),
        pytest.param(
            "interval: 1s",
            "interval: 1500ms\n    version: 2",
            "11:15: instances.front.interval: version 2 counts whole seconds, from 1s to 255s"
            " (or write version: 3)",
            id="an interval that version 2 cannot say",
        ),
        pytest.param(
            "seal: {key_file: /etc/libra/seal.key}",
            "seal: {mode: accept}",
            f"13:5: {KEY}",
            id="a seal without a key",
        ),
        pytest.param(
            "seal: {key_file: /etc/libra/seal.key}",
            "seal: {}",
            f"13:5: {KEY}",
            id="an empty seal",
        ),
        pytest.param(
            "seal: {key_file: /etc/libra/seal.key}",
            "seal:",
            "13:10: instances.front.seal: is empty"
            " (name its key, as in {key_file: /etc/libra/seal.key}, or leave it out)",
            id="a seal of which nothing is said",
        ),
        pytest.param("lease: 2", "lease: 1", f"12:12: {LEASE}", id="a lease of 1 s"),
        pytest.param("lease: 2", "lease: 1.5", f"12:12: {FRACTION}", id="a lease of 1.5 s"),
        pytest.param("lease: 2", "lease: 0", f"12:12: {LEASE}", id="no lease at all"),
    ],
)
def test_what_cannot_work_is_told_with_line_and_column(
    host: Host, written: str, instead: str, told: str
) -> None:
    assert WORKS.count(written) == 1
    file = host.write(WORKS.replace(written, instead))
    done = host.libra("check", file)
    assert done.stderr == f"{file}:{told}\n1 error\n"
    assert (done.returncode, done.stdout) == (REFUSED, "")
