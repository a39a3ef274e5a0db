"""The systemd units in deploy/ say what the programs need."""

import shutil
import subprocess
from pathlib import Path

import pytest

from libra_vrrp.settings import CONFIG
from libra_vrrp.shell.guard import MACHINE_ENDS, REPORTER_ENDS
from libra_vrrp.shell.privileges import MACHINE, REPORTER

ROOT = Path(__file__).parents[1]
UNIT = ROOT / "deploy" / "systemd" / "libra-vrrp.service"


def said(key: str) -> list[str]:
    lines = (line.partition("=") for line in UNIT.read_text().splitlines())
    return [word for name, _, value in lines if name == key for word in value.split()]


def test_its_bounding_set_is_what_libra_vrrp_asks_for() -> None:
    needed = {f"CAP_{name}" for name in (*MACHINE, *REPORTER)}
    wished = {"CAP_SYS_NICE", "CAP_IPC_LOCK", "CAP_SYS_RESOURCE"}
    assert set(said("CapabilityBoundingSet")) == needed | wished


def test_a_wrong_config_is_not_tried_again() -> None:
    assert said("RestartPreventExitStatus") == [str(CONFIG)]
    assert said("KillMode") == ["mixed"]


def test_it_is_not_killed_while_it_ends_in_order() -> None:
    """Found by review: it had 10 s, and its children together have 11."""
    (seconds,) = said("TimeoutStopSec")
    assert float(seconds.removesuffix("s")) > MACHINE_ENDS + REPORTER_ENDS


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_understands_every_line(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/libra/bin/libra-vrrp", "/bin/true"))
    argv = ["systemd-analyze", "verify", "--man=no", str(unit)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    complaints = [line for line in done.stderr.splitlines() if unit.name in line]
    assert (done.returncode, complaints) == (0, [])
