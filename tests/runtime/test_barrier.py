"""What stands in the way is named with its owner and mode."""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from libra_runtime.barrier import barrier

STRANGER = 65534
ASK = """\
import os, sys
from pathlib import Path
from libra_runtime.barrier import barrier
os.setgroups([]); os.setresgid({0}, {0}, {0}); os.setresuid({0}, {0}, {0})
for each in sys.argv[1:]:
    print(barrier(Path(each)))
""".format(STRANGER)  # noqa: UP032 - it holds no other braces

root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def asked(*paths: Path) -> list[str]:
    """Ask as a stranger."""
    argv = [sys.executable, "-c", ASK, *map(str, paths)]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.splitlines()


@root
def test_a_stranger_is_told_whose_the_first_closed_thing_is() -> None:
    with TemporaryDirectory() as made:
        top = Path(made)
        top.chmod(0o755)
        (closed := top / "closed").mkdir(mode=0o700)
        (secret := top / "secret").touch(mode=0o600)
        (plain := top / "plain").touch(mode=0o644)
        os.chown(secret, 7, 7)
        said = asked(closed / "a" / "b", closed, secret, plain, top / "new", top / "no" / "way")
    assert said == [
        f"{closed} is of uid 0 with mode 0700, and this is uid {STRANGER}",
        f"{closed} is of uid 0 with mode 0700, and this is uid {STRANGER}",
        f"{secret} is of uid 7 with mode 0600, and this is uid {STRANGER}",
        "None",
        f"{top} is of uid 0 with mode 0755, and this is uid {STRANGER}",
        "None",
    ]


def test_nothing_stands_in_the_way_of_what_is_ours(tmp_path: Path) -> None:
    assert barrier(tmp_path) is None
    assert barrier(tmp_path / "new") is None


READ = """
from libra_runtime.yaml_config import read_config
from libra_schemas.errors import ConfigError
try:
    read_config(Path(sys.argv[1]))
except ConfigError as wrong:
    print(wrong)
"""


@root
def test_a_config_in_a_closed_directory_is_not_blamed_on_its_own_mode() -> None:
    """Seen: `chmod a+r` was asked for of a file that had it, below /root."""
    with TemporaryDirectory() as made:
        file = Path(made) / "libra.yaml"
        file.write_text("version: 1\n")
        asking = ASK.replace("os.setgroups", "import libra_runtime.yaml_config; os.setgroups", 1)
        argv = [sys.executable, "-c", asking.partition("for each")[0] + READ, str(file)]
        said = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
        assert f"{made} is of uid 0 with mode 0700, and this is uid {STRANGER}" in said
        assert f"`chmod a+x {made}`, or keep the file where everybody gets" in said
        Path(made).chmod(0o755)
        file.chmod(0o600)
        said = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
        assert "run `chmod a+r` on it" in said
