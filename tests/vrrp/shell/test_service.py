"""What `libra-vrrp` says before it starts anything."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from libra_vrrp import kept

PATIENCE = 60.0
CONFIG_WRONG = 78
"""What a unit names in `RestartPreventExitStatus`: EX_CONFIG of sysexits.h."""
CONFIG = """\
version: 1
nodes: {a: {address: 192.0.2.1}, b: {address: 192.0.2.2}}
instances:
  front: {interface: eth0, vrid: 51, addresses: [192.0.2.10/24]}
"""


def run(
    directory: Path, *arguments: str, word: tuple[str, ...] = (), told: str = "keep\n"
) -> subprocess.CompletedProcess[str]:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("LIBRA_")},
        "LIBRA_STATE": str(directory / "state"),
        "LIBRA_VRRP_UID": str(os.geteuid()),
    }
    return subprocess.run(
        [sys.executable, "-m", "libra_vrrp", *word, *arguments],
        env=environment | ({"LIBRA_NODE": "a"} if word else {}),
        cwd=directory,
        capture_output=True,
        input=told,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_help_says_what_it_takes_and_starts_nothing(tmp_path: Path) -> None:
    told = run(tmp_path, "--help")
    assert told.returncode == 0
    assert "--config FILE" in told.stdout
    assert "LIBRA_NATS" in told.stdout
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    ("config", "node", "said"),
    [
        pytest.param(
            CONFIG.replace("vrid: 51", "vrid: 300, prio: 9"),
            "a",
            [
                "{}/libra.yaml:4:34: instances.front.vrid: ",
                "{}/libra.yaml:4:39: instances.front.prio: unknown key 'prio'",
                "2 errors; nothing started",
            ],
            id="errors",
        ),
        pytest.param(
            CONFIG,
            "c",
            ["libra-vrrp: {}/libra.yaml: nodes: the config has no node 'c': name one it has"],
            id="unknown node",
        ),
    ],
)
def test_a_config_that_cannot_be_held_is_told_once_and_nothing_is_started(
    tmp_path: Path, config: str, node: str, said: list[str]
) -> None:
    (tmp_path / "libra.yaml").write_text(config)
    told = run(tmp_path, "--config", "libra.yaml", "--node", node)
    assert told.returncode == CONFIG_WRONG
    lines = told.stderr.splitlines()
    assert len(lines) == len(said)
    for line, begin in zip(lines, said, strict=True):
        assert line.startswith(begin.format(tmp_path))
    assert [one.name for one in tmp_path.iterdir()] == ["libra.yaml"]


def test_a_secret_that_is_not_there_yet_is_told_and_another_start_may_help(tmp_path: Path) -> None:
    """It had the status of a wrong config, after which no unit starts again."""
    config = CONFIG.replace("vrid: 51", "vrid: 51, version: 2, auth_file: /no/such/file")
    (tmp_path / "libra.yaml").write_text(config)
    told = run(tmp_path, "--config", "libra.yaml", "--node", "a")
    assert told.returncode == 1
    (said,) = told.stderr.splitlines()
    assert said == (
        "libra-vrrp: auth_file /no/such/file: No such file or directory; "
        "write the password there, or name another file"
    )
    assert [one.name for one in tmp_path.iterdir()] == ["libra.yaml"]


def test_a_setting_that_is_wrong_is_told_like_a_wrong_config(tmp_path: Path) -> None:
    told = run(tmp_path, "--config")
    assert told.returncode == CONFIG_WRONG
    assert told.stderr.startswith("libra-vrrp: usage: ")
    assert run(tmp_path).returncode == CONFIG_WRONG


def test_what_is_asked_of_a_service_that_works_does_not_end_one_that_starts(
    tmp_path: Path,
) -> None:
    file = tmp_path / "libra.yaml"
    os.mkfifo(file)
    told = {"LIBRA_STATE": str(tmp_path / "state"), "LIBRA_VRRP_UID": str(os.geteuid())}
    with subprocess.Popen(
        [sys.executable, "-m", "libra_vrrp", "--config", str(file), "--node", "a"],
        env=os.environ | told,
        stderr=subprocess.PIPE,
    ) as starting:
        with file.open("w") as looked_at:  # until it is
            for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
                starting.send_signal(number)
            looked_at.write(CONFIG.replace("vrid: 51", "vrid: 300"))
        _, said = starting.communicate(timeout=PATIENCE)
    assert starting.returncode == CONFIG_WRONG
    assert b"instances.front.vrid" in said


@pytest.mark.parametrize("below", ["state", "state/vrrp"])
def test_a_disk_that_refuses_is_none_of_the_configs_faults(tmp_path: Path, below: str) -> None:
    (tmp_path / "libra.yaml").write_text(CONFIG)
    (tmp_path / below).parent.mkdir(exist_ok=True)
    (tmp_path / below).touch()
    told = run(tmp_path, "--config", "libra.yaml", "--node", "a")
    assert told.returncode == 1
    assert f"{tmp_path}/{below}" in told.stderr


def test_a_config_that_can_be_held_is_what_the_machine_starts_from(tmp_path: Path) -> None:
    (tmp_path / "libra.yaml").write_text(CONFIG)
    told = run(tmp_path, str(tmp_path / "libra.yaml"), word=("prepare",))
    assert (told.returncode, told.stdout, told.stderr) == (0, "sound\n", "")
    (front,) = kept.load_instances((tmp_path / "state/vrrp/routers.jsonl").read_bytes())
    assert (front.name, front.vrid) == ("front", 51)


def test_a_config_that_nobody_has_kept_leaves_no_trace(tmp_path: Path) -> None:
    (tmp_path / "libra.yaml").write_text(CONFIG)
    told = run(tmp_path, str(tmp_path / "libra.yaml"), word=("prepare",), told="")
    assert (told.returncode, told.stdout, told.stderr) == (0, "sound\n", "")
    assert [one.name for one in tmp_path.iterdir()] == ["libra.yaml"]


def test_a_config_that_another_start_left_is_not_looked_at_but_a_stale_one_is(
    tmp_path: Path,
) -> None:
    (tmp_path / "libra.yaml").write_text(CONFIG.replace("vrid: 51", "vrid: 300"))
    left = tmp_path / "state" / "vrrp-guard" / "left.json"
    left.parent.mkdir(parents=True)
    left.touch(mode=0o600)
    told = run(tmp_path, "--config", "libra.yaml", "--node", "a")
    assert told.returncode == CONFIG_WRONG
    assert "what was left cannot be taken over" in told.stderr
    assert "1 error; nothing started" in told.stderr


def test_a_config_without_an_instance_for_this_node_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "libra.yaml").write_text(CONFIG.replace("vrid: 51", "vrid: 51, priority: {b: 9}"))
    told = run(tmp_path, str(tmp_path / "libra.yaml"), word=("prepare",))
    assert told.returncode == 0
    assert "the config gives this node no instance" in told.stderr
    assert kept.load_instances((tmp_path / "state/vrrp/routers.jsonl").read_bytes()) == ()
