"""What the host or a container lacks is said in one sentence, and mended it goes on by itself."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.compose.deployment import DR, KEPT, PATIENCE, PROJECT, ROOT, Deployment, docker
from tests.compose.observed import (
    REFUSED,
    await_sentence,
    compose,
    log,
    nats,
    state_of,
    told_once,
    undisturbed,
)

from libra_lab.commands import run
from libra_lab.waiting import wait_until

pytestmark = pytest.mark.timeout(600)


def test_a_kernel_without_ipvs_is_told_and_waited_for(running: Deployment) -> None:
    table = running.ipvsadm()
    compose("stop", "ipvs-writer")
    hook = Path("/proc/sys/kernel/modprobe")
    loader = hook.read_text().strip()
    try:
        hook.write_text("/bin/false")
        unload_ipvs()
        compose("up", "-d")
        missing = "This kernel has no IPVS: load it with `modprobe ip_vs` (the module is part of "
        sentence = f"{missing}the distribution's full kernel package)."
        await_sentence("ipvs-writer", sentence)
        assert told_once("ipvs-writer", missing)
        run([loader, "ip_vs"])
        scheduler = "load it with `modprobe ip_vs_rr`"
        wait_until(
            lambda: scheduler in running.complaint("ipvs-writer"),
            "the scheduler is missing",
            PATIENCE,
        )
    finally:
        hook.write_text(loader)
    running.await_well("ipvs-writer")
    assert docker("inspect", "-f", "{{.RestartCount}}", f"{PROJECT}_ipvs-writer_1").strip() == "0"
    wait_until(lambda: running.ipvsadm() == table, "the table is back", PATIENCE)
    running.await_answer(DR)


def unload_ipvs() -> None:
    """Take IPVS out of the kernel."""
    run(["ipvsadm", "-C"])
    for role in ("master", "backup"):
        subprocess.run(["ipvsadm", "--stop-daemon", role], capture_output=True, check=False)
    loaded = [line.split()[0] for line in Path("/proc/modules").read_text().splitlines()]
    run(["rmmod", *(each for each in loaded if each.startswith("ip_vs_")), "ip_vs"])


NO_MOUNT = "/host/proc/sys/net is missing: mount the host's /proc/sys/net there"


@pytest.mark.parametrize(
    ("service", "less", "sentence"),
    [
        pytest.param(
            "vrrp",
            {"cap_add": ["NET_RAW"]},
            "libra-vrrp lacks CAP_NET_RAW: run it as root and, in a container, with "
            "`cap_add: [NET_RAW]`",
            id="vrrp without NET_RAW",
        ),
        pytest.param(
            "vrrp",
            {"cap_add": ["NET_ADMIN"]},
            "libra-vrrp lacks CAP_NET_ADMIN: run it as root and, in a container, with "
            "`cap_add: [NET_ADMIN]`",
            id="vrrp without NET_ADMIN",
        ),
        pytest.param(
            "vrrp",
            {"cap_add": ["SETUID"]},
            "libra-vrrp lacks CAP_SETUID: run it as root and, in a container, with "
            "`cap_add: [SETUID]`",
            id="vrrp without SETUID",
        ),
        pytest.param(
            "vrrp",
            {"volumes": ["/proc/sys/net:/host/proc/sys/net"]},
            f"front is in fault: {NO_MOUNT}",
            id="vrrp without sysctls",
        ),
        pytest.param(
            "ipvs-writer",
            {"cap_add": ["NET_ADMIN"]},
            "The IPVS table needs CAP_NET_ADMIN: run as root with `--cap-add NET_ADMIN`.",
            id="ipvs-writer without NET_ADMIN",
        ),
        pytest.param(
            "ipvs-writer",
            {"volumes": ["/proc/sys/net:/host/proc/sys/net"]},
            f"{NO_MOUNT}; meanwhile net.ipv4.vs.expire_nodest_conn and others are neither set nor "
            "verified.",
            id="ipvs-writer without sysctls",
        ),
    ],
)
def test_a_container_that_may_too_little_says_what_it_lacks(
    running: Deployment, tmp_path: Path, service: str, less: dict[str, list[str]], sentence: str
) -> None:
    table = running.ipvsadm()
    described = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    container: dict[str, Any] = described["services"][service]
    for key, gone in less.items():
        container[key] = [each for each in container[key] if each not in gone]
    file = tmp_path / "docker-compose.yml"
    file.write_text(yaml.safe_dump(described))
    words = ("--project-directory", str(ROOT), "-f", str(file), "up", "-d", "--no-deps", service)
    try:
        assert compose(*words)[0] == 0
        await_sentence(service, sentence)
        assert len(log(service)) < 10
        state = docker("inspect", "-f", "{{.RestartCount}}", f"{PROJECT}_{service}_1").strip()
        assert state == "0"
        assert running.ipvsadm() == table
    finally:
        running.compose("up", "-d")
    running.await_well(service)
    running.await_answer(DR)


def test_a_broken_server_configuration_is_named_and_made_anew(running: Deployment) -> None:
    with (state_of(PROJECT) / "a/nats.conf").open("a") as file:
        file.write("max_paylod: 1\n")
    try:
        compose("restart", "nats")
        said = re.compile(r"nats-server: /var/lib/libra/a/nats.conf:\d+:\d+: unknown field .+")
        wait_until(lambda: any(map(said.fullmatch, nats())), "the place is named", PATIENCE)
    finally:
        status, told = compose("up", "-d")
    assert status == 0, told
    running.await_well(*KEPT)


def test_keys_that_are_gone_are_made_anew_and_the_way_to_go_on_is_named(
    running: Deployment,
) -> None:
    seeds = state_of(PROJECT) / "a/seeds"
    (seeds / "console.seed").write_text("no seed\n")
    with undisturbed(running):
        assert compose("up", "-d")[0] == 1
        [sentence] = log("init")
        assert "/var/lib/libra/a/seeds/console.seed: this is no nkey seed" in sentence
        assert sentence.endswith("; remove it, a new one is made")
        for seed in seeds.glob("*.seed"):
            seed.unlink()
        assert compose("up", "-d")[0] == 1
        assert log("streams") == [f"libra: {REFUSED}"]
    compose("restart", "nats", "vrrp")
    assert compose("up", "-d")[0] == 0
    running.await_well(*KEPT)
