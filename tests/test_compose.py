"""docker-compose.yml keeps what design §2 and §13 promise, without an engine to ask."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from libra_cli.identity import _GROUP, _NUMBERS, PRIVILEGED, SERVER
from libra_runtime import VERSION
from libra_runtime.settings import METRICS_PORTS
from libra_runtime.yaml_config import read_config

ROOT = Path(__file__).parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
CONTAINERS: dict[str, dict[str, Any]] = COMPOSE["services"]
SERVICES = sorted(METRICS_PORTS)
ONCE = ["init", "streams", "config", "libra"]
BUILT = sorted(set(CONTAINERS) - {"nats"})

CAPABILITIES = {
    "init": {"CHOWN", "DAC_OVERRIDE"},
    "vrrp": {"NET_ADMIN", "NET_RAW", "SETUID", "SETGID", "SYS_NICE", "IPC_LOCK"},
    "ipvs-writer": {"NET_ADMIN"},
}
"""Design §2, with what it calls optional; `init` hands files over, and ends."""


def user_of(name: str) -> str:
    """Tell the user that design §2 and `libra up` give to a container."""
    if name in PRIVILEGED or name in ONCE:
        return f"0:{_GROUP}"
    return f"{_NUMBERS[SERVER if name == 'nats' else name]}:{_GROUP}"


def targets(name: str) -> list[str]:
    """List where the volumes of a container are mounted."""
    volumes = CONTAINERS[name]["volumes"]
    return [each["target"] if isinstance(each, dict) else path_in(each) for each in volumes]


def path_in(volume: str) -> str:
    """Read the path in the container of a volume's short form."""
    return re.sub(r"\$\{[^}]*\}", "variable", volume).split(":")[1]


def test_every_service_has_its_container() -> None:
    assert set(CONTAINERS) == {"nats", *SERVICES, *ONCE}


@pytest.mark.parametrize("name", sorted(CONTAINERS))
def test_a_container_is_hardened(name: str) -> None:
    container = CONTAINERS[name]
    assert container["cap_drop"] == ["ALL"]
    assert container["read_only"] is True
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in container
    assert all("noexec,nosuid,nodev" in mount for mount in container["tmpfs"])


@pytest.mark.parametrize("name", sorted(CONTAINERS))
def test_a_container_has_the_user_and_the_capabilities_of_the_design(name: str) -> None:
    assert CONTAINERS[name]["user"] == user_of(name)
    assert set(CONTAINERS[name].get("cap_add", ())) == CAPABILITIES.get(name, set())


@pytest.mark.parametrize("name", sorted(CONTAINERS))
def test_a_container_bounds_its_logs(name: str) -> None:
    assert set(CONTAINERS[name]["logging"]["options"]) == {"max-size", "max-file"}


@pytest.mark.parametrize("name", [*SERVICES, "nats"])
def test_what_stays_up_is_restarted_checked_and_given_time_to_end(name: str) -> None:
    container = CONTAINERS[name]
    assert container["restart"] == "unless-stopped"
    assert container["healthcheck"]["test"][0] == "CMD"
    assert "disable" not in container["healthcheck"]
    assert int(container["stop_grace_period"].removesuffix("s")) >= 15
    assert container["network_mode"] == "host"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_asks_its_own_health_and_has_its_own_key(name: str) -> None:
    container = CONTAINERS[name]
    assert container["healthcheck"]["test"][-1] == "libra_runtime.healthcheck"
    assert container["environment"]["LIBRA_METRICS_PORT"] == str(METRICS_PORTS[name])
    assert container["environment"]["LIBRA_SEED_FILE"].endswith(f"/seeds/{name}.seed")
    assert container["build"]["args"] == {"SERVICE": name}


@pytest.mark.parametrize("name", ONCE)
def test_what_ends_is_not_started_again(name: str) -> None:
    assert CONTAINERS[name]["restart"] == "no"
    assert CONTAINERS[name]["build"]["args"] == {"SERVICE": "cli"}


@pytest.mark.parametrize("name", BUILT)
def test_an_image_has_its_lock_and_this_release(name: str) -> None:
    service = CONTAINERS[name]["build"]["args"]["SERVICE"]
    lock = (ROOT / "requirements" / f"{service}.txt").read_text()
    assert "--hash=sha256:" in lock
    assert CONTAINERS[name]["image"] == f"libra-{service}:{VERSION}"


def test_the_services_that_set_sysctls_see_those_of_the_host_outside_proc() -> None:
    """Runc refuses every mount below /proc (tried)."""
    for name, container in CONTAINERS.items():
        root = container.get("environment", {}).get("LIBRA_PROC_SYS")
        assert (root is not None) == (name in PRIVILEGED)
        assert (f"{root}/net" in targets(name)) == (name in PRIVILEGED)
        assert not [path for path in targets(name) if path.startswith("/proc")]


def test_all_share_the_node_and_its_server() -> None:
    sites = {
        (each["environment"]["LIBRA_NODE"], each["environment"]["LIBRA_NATS"])
        for name, each in CONTAINERS.items()
        if name != "nats"
    }
    assert sites == {("${LIBRA_NODE:-a}", "nats://127.0.0.1:4222")}


def test_without_a_variable_the_example_and_its_node_come_up() -> None:
    source = CONTAINERS["init"]["volumes"][-1]["source"]
    default = re.fullmatch(r"\$\{LIBRA_CONFIG:-(.+)\}", source)
    assert default is not None
    config, _ = read_config(ROOT / default[1])
    assert "a" in config.nodes


def test_no_lock_names_an_index() -> None:
    locks = sorted((ROOT / "requirements").glob("*.txt"))
    assert "build.txt" in {lock.name for lock in locks}
    for lock in locks:
        assert not re.search(r"://|--(extra-)?index|--find-links", lock.read_text()), lock.name


def test_the_dockerfile_needs_no_buildkit_and_leaves_the_build_behind() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert not re.search(r"--mount|--chmod|--link|<<|^# syntax", text, re.MULTILINE)
    last = text[text.rindex("\nFROM ") :]
    assert re.findall(r"^(?:RUN|COPY) .*", last, re.MULTILINE) == [
        "COPY --from=closure /opt/libra /opt/libra"
    ]
    assert "USER 65534:64640" in last


@pytest.mark.skipif(shutil.which("docker-compose") is None, reason="docker-compose is missing")
def test_compose_1_29_reads_the_file() -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("LIBRA_")}
    done = subprocess.run(
        ["docker-compose", "--profile", "cli", "config", "--services"],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == set(CONTAINERS)
