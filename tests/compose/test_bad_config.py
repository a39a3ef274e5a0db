"""A config that cannot be: its errors are told, and what runs goes on with the one it has."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from tests.compose.deployment import CONFIG, DR, KEPT, PATIENCE, PINNED_COMPOSE, Deployment
from tests.compose.observed import OTHER, compose, log, undisturbed

from libra_lab.waiting import wait_until

pytestmark = pytest.mark.timeout(600)

BROKEN = """\
version: 1
nodes: {a: {address: 192.0.2.1}}
instances:
  front: {interface: eth0, vrid: 510, priority: {a: 150, q: 1}, addresses: [192.0.2.10/24]}
services:
  nat: {address: 192.0.2.10:80, schedule: rr}
"""
UNKNOWN = "unknown key 'schedule' (did you mean scheduler?)"
ERRORS = [
    "/etc/libra/libra.yaml:4:34: instances.front.vrid: expected a whole number from 1 to 255",
    "/etc/libra/libra.yaml:4:58: instances.front.priority.q: no node is called 'q' (known: a)",
    f"/etc/libra/libra.yaml:6:33: services.nat.schedule: {UNKNOWN}",
]


DIRECTORY = (
    "is a directory; compose makes one where LIBRA_CONFIG names a file that does not exist: remove "
    "it, and name the file"
)


@pytest.mark.parametrize(
    ("setting", "where", "sentences"),
    [
        pytest.param(
            {"LIBRA_CONFIG": "{folder}/nowhere.yaml"},
            "up",
            ["bind source path does not exist: {folder}/nowhere.yaml"],
            id="missing file",
        ),
        pytest.param(
            {"LIBRA_CONFIG": "{folder}/directory"},
            "config",
            [
                f"/etc/libra/libra.yaml:1:1: {DIRECTORY}",
                "1 error; nothing changed",
            ],
            id="directory",
        ),
        pytest.param(
            {"LIBRA_NODE": "zz"},
            "init",
            ["libra: the config has no node 'zz': name one it has with --node or LIBRA_NODE, a, b"],
            id="unknown node",
        ),
        pytest.param(
            {"LIBRA_CONFIG": "{folder}/broken.yaml"},
            "config",
            [*ERRORS, "3 errors; nothing changed"],
            id="errors",
        ),
    ],
)
def test_a_config_that_cannot_be_ends_up_and_touches_nothing(
    running: Deployment, tmp_path: Path, setting: dict[str, str], where: str, sentences: list[str]
) -> None:
    open_to_all(tmp_path)
    (tmp_path / "directory").mkdir()
    (tmp_path / "broken.yaml").write_text(BROKEN)
    given = {name: value.format(folder=tmp_path) for name, value in setting.items()}
    with undisturbed(running):
        status, told = compose("up", "-d", **given)
    assert status == 1
    said = told.splitlines() if where == "up" else log(where)
    for sentence in (each.format(folder=tmp_path) for each in sentences):
        assert any(sentence in line for line in said), said
    assert where == "up" or said == sentences
    assert not (tmp_path / "nowhere.yaml").exists()
    if where == "config":
        goes_on = [line for line in log("init") if line.startswith("libra: ")]
        assert len(goes_on) == 1
        assert goes_on[0].endswith(": node a goes on with the config it has")


def test_newer_composes_show_the_errors_themselves(running: Deployment, tmp_path: Path) -> None:
    config = str(tmp_path / "broken.yaml")
    Path(config).write_text(BROKEN)
    setting = {"project": OTHER, "program": PINNED_COMPOSE, "LIBRA_CONFIG": config}
    with undisturbed(running):
        status, told = compose("up", **setting)
    compose("down", "-v", **setting)
    assert status == 1
    shown = [line for line in told.splitlines() if line.startswith("init-1  | ")]
    assert [line.partition("| ")[2] for line in shown] == [*ERRORS, "3 errors"]


def test_containers_that_are_made_anew_go_on_with_the_config_they_have(
    director: Deployment, tmp_path: Path
) -> None:
    """Compose v2 makes them anew before it starts the first."""
    (tmp_path / "broken.yaml").write_text(BROKEN)
    open_to_all(tmp_path)
    broken = {"LIBRA_CONFIG": str(tmp_path / "broken.yaml"), "LIBRA_LOG": "debug"}
    director.compose("down")
    modern = replace(director, program=PINNED_COMPOSE)
    try:
        modern.compose("up", "-d")
        modern.await_answer(DR)
        table, started = modern.ipvsadm(), modern.state("health", "{{.Id}}")
        status, told = compose("up", "-d", program=PINNED_COMPOSE, **broken)
        assert status == 1
        assert "config" in told
        assert modern.state("health", "{{.Id}}") != started
        assert log("config") == [*ERRORS, "3 errors; nothing changed"]
        modern.await_answer(DR)
        modern.await_well(*(name for name in KEPT if name != "ipvs-writer"))
        wait_until(lambda: modern.ipvsadm() == table, "the table as it was", PATIENCE)
        rejected = modern.events("config.rejected")[-1]
        assert rejected["data"]["author"].startswith("libra init")
        modern.compose("up", "-d")
        modern.await_answer(DR)
        assert compose("up", program=PINNED_COMPOSE, **broken)[0] == 1
        modern.await_answer(DR)
    finally:
        modern.compose("down")
        director.compose("up", "-d")
        director.await_answer(DR)


def test_a_config_that_only_its_owner_may_read_is_told_so(
    running: Deployment, tmp_path: Path
) -> None:
    config = tmp_path / "libra.yaml"
    config.write_text(CONFIG)
    config.chmod(0o600)
    os.chown(config, 1000, 1000)
    with undisturbed(running):
        status, _ = compose("up", "-d", LIBRA_CONFIG=str(config))
        assert status == 1
        assert "cannot be read: Permission denied; run `chmod a+r` on it" in log("config")[0]
        why = "libra.yaml: only its owner may read it; run `chmod a+r` on it"
        assert why in "".join(log("init"))
        words = ("run", "--rm", "-T", "libra", "apply", "libra.yaml")
        status, told = compose(*words, LIBRA_CONFIG=str(config))
        assert status != 0
        assert "cannot be read: Permission denied; run `chmod a+r` on it" in told


def open_to_all(folder: Path) -> None:
    """Let every user read what is in *folder*."""
    for each in (folder, *folder.parents):
        each.chmod(each.stat().st_mode | 0o055)
