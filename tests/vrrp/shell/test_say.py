"""What is said of a state directory that is closed to us."""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from libra_vrrp.shell.say import closed

AS = """\
import os, sys
from pathlib import Path
from libra_vrrp.shell.say import closed
os.setgroups([]); os.setresgid({0}, {0}, {0}); os.setresuid({0}, {0}, {0})
try:
    Path(sys.argv[1]).mkdir(parents=True)
except OSError as refused:
    print(closed(refused))
"""
WITHOUT_OVERRIDE = "-dac_override,-dac_read_search"

root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@root
def test_who_is_not_root_is_told_to_be() -> None:
    with TemporaryDirectory() as made:
        argv = [sys.executable, "-c", AS.format(65534), f"{made}/state"]
        said = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    assert said == (
        f"{made}/state: Permission denied: {made} is of uid 0 with mode 0700, and this is uid "
        "65534: run libra-vrrp as root, or name another directory in LIBRA_STATE\n"
    )


@root
def test_root_that_may_not_pass_everywhere_is_told_whose_the_directory_is() -> None:
    with TemporaryDirectory() as made:
        os.chown(made, 7, 7)
        without = [
            "setpriv",
            f"--bounding-set={WITHOUT_OVERRIDE}",
            f"--inh-caps={WITHOUT_OVERRIDE}",
        ]
        argv = [*without, sys.executable, "-c", AS.format(0), f"{made}/state"]
        said = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    assert said == (
        f"{made}/state: Permission denied: {made} is of uid 7 with mode 0700, and this is uid 0 "
        f"without CAP_DAC_OVERRIDE: `chown root {made}`\n"
    )


def test_what_is_no_matter_of_permissions_is_said_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="Not a directory") as refused:
        (tmp_path / "file" / "state").mkdir()
    assert closed(refused.value) == f"{tmp_path}/file/state: Not a directory"
    assert closed(OSError("no file")) == "no file"
