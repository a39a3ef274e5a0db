"""`libra keys seal` as an operator runs it: a key is made, rolled, never shown and never lost."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from libra_cli.exits import DONE, MISSING, REFUSED
from libra_schemas.seal_keys import dumps, parse


def libra(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "libra_cli", "keys", "seal", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def held(file: Path) -> tuple[bytes, ...]:
    return parse(file.read_text())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "etc" / "seal.key"
    assert libra(found).returncode == DONE
    return found


def test_a_key_is_made_for_root_alone(file: Path) -> None:
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(held(file)) == 1
    assert list(file.parent.iterdir()) == [file]


def test_two_keys_are_never_the_same(file: Path, tmp_path: Path) -> None:
    assert libra(tmp_path / "other").returncode == DONE
    assert held(file) != held(tmp_path / "other")


def test_a_file_that_exists_is_left_alone(file: Path) -> None:
    before = file.read_bytes()
    refused = libra(file)
    assert refused.returncode == REFUSED
    assert f"libra: {file} exists and is left as it is: `--add` makes" in refused.stderr
    assert file.read_bytes() == before


def test_a_link_into_nowhere_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert libra(tmp_path / "link").returncode == REFUSED
    assert not (tmp_path / "nowhere").exists()


def test_a_key_is_rolled_in_three_steps(file: Path) -> None:
    (old,) = held(file)
    said = [libra(option, file).stdout for option in ("--add",)]
    added = held(file)
    assert (len(added), added[0]) == (2, old)
    said += [libra("--switch", file).stdout]
    assert held(file) == (added[1], old)
    said += [libra("--retire", file).stdout]
    assert held(file) == (added[1],)
    assert file.stat().st_mode & 0o777 == 0o600
    assert ["--switch" in said[0], "--retire" in said[1]] == [True, True]


def test_a_step_that_is_not_due_is_refused_and_changes_nothing(file: Path) -> None:
    before = file.read_bytes()
    for option, why in (("--switch", "--add"), ("--retire", "nothing is left")):
        refused = libra(option, file)
        assert (refused.returncode, why in refused.stderr) == (REFUSED, True)
    assert libra("--add", "--switch", file).returncode == 2
    assert file.read_bytes() == before


def test_no_key_is_ever_printed(file: Path) -> None:
    shown = ""
    for options in ((), ("--add",), ("--switch", "--json"), ("--retire",)):
        answer = libra(*options, file)
        shown += answer.stdout + answer.stderr
    secrets = [line.split()[1] for line in dumps(held(file)).splitlines()[1:]]
    assert secrets
    assert not any(secret[:8] in shown for secret in secrets)


def test_json_says_what_was_done(file: Path) -> None:
    assert json.loads(libra("--add", "--json", file).stdout) == {
        "file": str(file),
        "done": "added",
    }


def test_what_is_no_key_file_is_not_rolled(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("hunter2\n")
    refused = libra("--add", tmp_path / "notes")
    assert refused.returncode == REFUSED
    assert "line 1: expected `libra-seal-1 KEY`" in refused.stderr
    assert "hunter2" not in refused.stderr
    assert libra("--add", tmp_path / "none").returncode == MISSING
