import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from libra_health.errands import Done, Execute, Executed, Unexecuted
from libra_health.shell.program import Program
from libra_health.shell.rights import OURS, Rights, rights_of

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives programs the rights of others")
NAMES = (("PATH", "/usr/bin:/bin"),)


@pytest.fixture
def ground() -> Iterator[Path]:
    """Make a directory of root's on a way of root's that all may read."""
    with tempfile.TemporaryDirectory(dir="/usr/local") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def script(path: Path, mode: int = 0o755) -> Path:
    path.write_text("#!/bin/sh\nid -u\n")
    path.chmod(mode)
    return path


def run(program: Path, user: str) -> Done:
    return Program(Execute((str(program),), NAMES, user)).run()


@as_root
def test_without_a_user_a_program_of_roots_service_runs_as_nobody() -> None:
    ends = Program(Execute(("/bin/sh", "-c", "id -u; id -g; id -G"), NAMES)).run()
    assert ends == Executed(0, b"65534\n65534\n65534\n")


@as_root
def test_a_program_runs_with_the_users_groups() -> None:
    entry = pwd.getpwnam("daemon")
    ends = Program(Execute(("/bin/sh", "-c", "id -u; id -g"), NAMES, "daemon")).run()
    assert ends == Executed(0, b"%d\n%d\n" % (entry.pw_uid, entry.pw_gid))
    assert rights_of("daemon", "/bin/sh").groups == tuple(os.getgrouplist("daemon", entry.pw_gid))


@as_root
def test_root_runs_what_only_root_may_change(ground: Path) -> None:
    assert run(script(ground / "check"), "root") == Executed(0, b"0\n")


@as_root
@pytest.mark.parametrize("spoil", ["owner", "mode", "directory", "link", "way of a link"])
def test_root_runs_nothing_that_others_may_change(ground: Path, spoil: str) -> None:
    program, weak = script(ground / "check"), ground
    match spoil:
        case "owner":
            os.chown(weak := program, 1, 0)
        case "mode":
            (weak := program).chmod(0o775)
        case "directory":
            ground.chmod(0o777)
        case "link":
            weak = script(ground / "real", 0o757)
            program.unlink()
            program.symlink_to("real")
        case _:
            (weak := ground / "weak").mkdir()
            weak.chmod(0o777)
            (weak / "link").symlink_to(shutil.which("id") or "")
            program.unlink()
            program.symlink_to(weak / "link")
    said = f"{program} does not run as root: others than root may change {weak}"
    assert run(program, "root") == Unexecuted(said)


@as_root
def test_a_program_that_the_user_may_not_run_says_so(ground: Path) -> None:
    program = script(ground / "check", 0o700)
    assert run(program, "nobody") == Unexecuted(f"{program}: Permission denied")


def test_a_user_that_is_unknown_here_is_named() -> None:
    ends = Program(Execute(("/bin/true",), NAMES, "norma")).run()
    assert ends == Unexecuted("there is no user norma on this node")


def test_only_root_gives_the_rights_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: pwd.getpwnam("daemon").pw_uid)
    said = "only root may run a program as nobody, and this service is not root"
    with pytest.raises(ValueError, match=said):
        rights_of("nobody", "/bin/true")
    assert rights_of("daemon", "/bin/true") == OURS
    assert rights_of("", "/bin/true") == OURS


@as_root
def test_nobody_needs_no_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> pwd.struct_passwd:
        raise KeyError(name)

    monkeypatch.setattr(pwd, "getpwnam", unknown)
    assert rights_of("", "/bin/true") == Rights(65534, 65534, ())


@as_root
def test_a_program_inherits_no_capability_of_an_unprivileged_service() -> None:
    service = (
        "from libra_health.errands import Execute; from libra_health.shell.program import Program;"
        "print(Program(Execute(('/bin/grep', 'Cap[AE]', '/proc/self/status'))).run().output)"
    )
    given = ["--reuid=65534", "--clear-groups", "--inh-caps=+net_raw", "--ambient-caps=+net_raw"]
    ends = subprocess.run(
        ["setpriv", *given, sys.executable, "-c", service],
        capture_output=True,
        check=True,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert ends.stdout.count("0000000000000000") == 2, ends.stdout
