import os
import shutil
import subprocess
from pathlib import Path

import pytest

from libra_lab import uml
from libra_lab.errors import LabUnavailable
from libra_lab.uml import command_line, kernel, memory_directory, size_of


@pytest.mark.parametrize(
    ("text", "size"), [("512M", 512 << 20), ("2G", 2 << 30), ("64k", 64 << 10)], ids=str
)
def test_a_memory_size_has_a_unit(text: str, size: int) -> None:
    assert size_of(text) == size


@pytest.mark.parametrize("text", ["", "2", "G", "-1G", "1.5G", "0M"])
def test_any_other_memory_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="looks like 512M or 2G"):
        size_of(text)


def test_too_little_room_for_the_memory_is_said_with_figures() -> None:
    with pytest.raises(LabUnavailable, match=r"MiB free.*--mem.*TMPDIR"):
        memory_directory(1 << 60)


def test_a_missing_kernel_is_said_with_the_package_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(uml, "MODULES", tmp_path / "none")
    with pytest.raises(LabUnavailable, match=r"apt-get install user-mode-linux kmod"):
        kernel()


def test_the_kernel_is_told_its_memory_and_its_lines() -> None:
    line = command_line("/usr/bin/linux.uml", "/x/job", 1 << 30, {"con1": "null,fd:4"})
    assert {"mem=1048576K", "init=/x/job/init", "con1=null,fd:4"} <= set(line)


RUN = str(Path(__file__).parents[2] / "lab/run")
inside = pytest.mark.skipif("LIBRA_LAB" in os.environ, reason="a lab kernel boots on a host")


def lab(*arguments: str, cwd: Path | None = None) -> "subprocess.Popen[str]":
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [RUN, "--uml", *arguments], cwd=cwd, stdout=pipe, stderr=pipe, text=True
    )


@inside
def test_a_command_runs_as_root_on_ipvs_in_the_current_directory(tmp_path: Path) -> None:
    script = "ipvsadm -Ln; id -u; pwd; echo noise >&2; echo kept > file; touch /etc/lost; exit 7"
    process = lab("--", "sh", "-c", script, cwd=tmp_path)
    out, err = process.communicate(timeout=60)
    lines = out.splitlines()
    assert lines[0].startswith("IP Virtual Server version")
    assert lines[3:] == ["0", str(tmp_path)]
    assert (err, process.returncode) == ("noise\n", 7)
    assert (tmp_path / "file").read_text() == "kept\n"
    assert not Path("/etc/lost").exists()


@inside
def test_an_interrupt_reaches_the_command_which_may_clean_up() -> None:
    script = "trap 'echo cleaned; exit 42' INT; echo up; while :; do sleep 0.1; done"
    process = lab("--timeout", "60", "--", "sh", "-c", script)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    process.send_signal(2)
    out, _ = process.communicate(timeout=60)
    assert (out, process.returncode) == ("cleaned\n", 42)


@inside
def test_a_timeout_ends_the_command_and_every_process_of_the_kernel() -> None:
    process = lab("--timeout", "4", "--", "sleep", "60")
    process.communicate(timeout=60)
    assert process.returncode == 124
    assert shutil.which("linux.uml") is not None
    assert children_of(process.pid) == []


def children_of(parent: int) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[1] == str(parent):
            found.append(entry.parent.name)
    return found
