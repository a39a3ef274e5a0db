"""docker-compose.yml keeps what design §2 and §13 promise, as every compose at hand resolves it."""

import functools
import re
from pathlib import Path
from typing import Any

import pytest
from tools.compose import resolve
from tools.compose.resolve import Compose, Refused

from libra_cli.identity import _GROUP, _NUMBERS, PRIVILEGED, SERVER
from libra_cli.prepare import HEALTH
from libra_runtime import VERSION
from libra_runtime.settings import METRICS_PORTS
from libra_runtime.yaml_config import read_config
from libra_schemas.nats import ServerSettings, render_server_config

ROOT = Path(__file__).parents[1]
PROGRAMS = resolve.at_hand()
PATHS = ["pinned" if each.program == resolve.PINNED else "system" for each in PROGRAMS]
SERVICES = sorted(METRICS_PORTS)
ONCE = ["init", "streams", "config", "ready", "libra"]
OFFLINE = ["init", "ready"]
BUILT = [*SERVICES, *ONCE]
ALL = [*BUILT, "nats"]
UNITS = {"h": 3600, "m": 60, "s": 1}
README = (ROOT / "deploy" / "README.md").read_text()

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


@functools.cache
def resolved(compose: Compose, node: str = "a") -> dict[str, Any]:
    """Let compose resolve the file as it is, nothing set but the node, if that."""
    setting = {} if node == "a" else {"LIBRA_NODE": node}
    return compose.resolved(setting, "cli")


@pytest.fixture(params=PROGRAMS, ids=PATHS)
def containers(request: pytest.FixtureRequest) -> dict[str, dict[str, Any]]:
    """Give the containers as one compose resolves them."""
    return dict(resolved(request.param)["services"])


def seconds(duration: str) -> int:
    """Read a duration as composes print it: 20s, 1m, 1m0s."""
    return sum(int(each) * UNITS[unit] for each, unit in re.findall(r"(\d+)([hms])", duration))


def mounts(container: dict[str, Any]) -> dict[str, tuple[str, bool]]:
    """Tell what is mounted where, and whether it is writable there."""
    found = {}
    for each in container.get("volumes", ()):
        if isinstance(each, dict):
            found[each["target"]] = (each["source"], not each.get("read_only", False))
        else:
            source, target, *options = each.split(":")
            found[target] = (source, options != ["ro"])
    return found


def table() -> dict[str, tuple[str, set[str]]]:
    """Read deploy/README.md's table: container -> its user, its capabilities."""
    found = {}
    rows = re.findall(r"^\| (`.+?) \| (\d+:\d+) \| (.+?) \|", README, re.MULTILINE)
    for names, user, capabilities in rows:
        for name in re.findall(r"`([a-z-]+)`", names):
            found[name] = (user, set(re.findall(r"\b[A-Z][A-Z_]{3,}\b", capabilities)))
    return found


def test_every_service_has_its_container(containers: dict[str, Any]) -> None:
    assert set(containers) == set(ALL)


@pytest.mark.parametrize("name", ALL)
def test_a_container_is_hardened(containers: dict[str, Any], name: str) -> None:
    container = containers[name]
    assert container["cap_drop"] == ["ALL"]
    assert container["read_only"] is True
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "devices", "pid", "ipc", "userns_mode"} & set(container)
    assert all("noexec,nosuid,nodev" in mount for mount in container["tmpfs"])


@pytest.mark.parametrize("name", ALL)
def test_a_container_has_the_user_and_the_capabilities_of_the_design(
    containers: dict[str, Any], name: str
) -> None:
    assert containers[name]["user"] == user_of(name)
    assert set(containers[name].get("cap_add", ())) == CAPABILITIES.get(name, set())


def test_the_operators_page_says_what_the_file_does(containers: dict[str, Any]) -> None:
    assert table() == {
        name: (container["user"], set(container.get("cap_add", ())))
        for name, container in containers.items()
    }


@pytest.mark.parametrize("name", ALL)
def test_a_container_bounds_its_logs(containers: dict[str, Any], name: str) -> None:
    logging = containers[name]["logging"]
    assert logging["driver"] == "json-file"
    assert re.fullmatch(r"\d+m", logging["options"]["max-size"])
    assert int(logging["options"]["max-file"]) > 1


@pytest.mark.parametrize("name", ALL)
def test_the_network_is_the_hosts_or_none_and_no_port_is_published(
    containers: dict[str, Any], name: str
) -> None:
    assert containers[name]["network_mode"] == ("none" if name in OFFLINE else "host")
    assert not {"ports", "networks", "expose"} & set(containers[name])


def test_what_listens_on_the_host_does_so_on_loopback_where_the_page_says(
    containers: dict[str, Any],
) -> None:
    """A service's metrics listen on 127.0.0.1 alone, whatever the port."""
    nats = containers["nats"]["healthcheck"]["test"][-1]
    monitor = int(re.findall(r"^http://127\.0\.0\.1:(\d+)/", nats)[0])
    assert containers["init"]["command"][-2:] == ["--monitor", str(monitor)]
    settings = ServerSettings("a", Path("/x"), {}, monitor=monitor)
    listening = set(re.findall(r'(?m)^(?:listen|http): "(.+)"$', render_server_config(settings)))
    assert listening == {f"127.0.0.1:{settings.port}", f"127.0.0.1:{monitor}"}
    first, last = min(METRICS_PORTS.values()), max(METRICS_PORTS.values())
    told = (
        f"{settings.port} (NATS), {monitor} (its monitoring), {first}-{last} (metrics and health)"
    )
    assert f"Ports, on loopback only: {told}." in README


@pytest.mark.parametrize("name", [*SERVICES, "nats"])
def test_what_stays_up_is_restarted_checked_and_given_time_to_end(
    containers: dict[str, Any], name: str
) -> None:
    container = containers[name]
    assert container["restart"] == "unless-stopped"
    check = container["healthcheck"]
    assert check["test"][0] == "CMD"
    assert "disable" not in check
    assert 0 < seconds(check["timeout"]) <= seconds(check["interval"]) <= 30
    assert seconds(container["stop_grace_period"]) >= 15


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_asks_its_own_health_and_has_its_own_key(
    containers: dict[str, Any], name: str
) -> None:
    container = containers[name]
    assert container["healthcheck"]["test"][-1] == "libra_runtime.healthcheck"
    assert container["environment"]["LIBRA_METRICS_PORT"] == str(METRICS_PORTS[name])
    assert container["environment"]["LIBRA_SEED_FILE"].endswith(f"/seeds/{name}.seed")
    assert container["build"]["args"] == {"SERVICE": name}


@pytest.mark.parametrize("name", ONCE)
def test_what_ends_is_not_started_again(containers: dict[str, Any], name: str) -> None:
    assert containers[name]["restart"] == "no"
    assert containers[name]["build"]["args"] == {"SERVICE": "cli"}


@pytest.mark.parametrize("name", BUILT)
def test_an_image_has_its_lock_and_this_release(containers: dict[str, Any], name: str) -> None:
    service = containers[name]["build"]["args"]["SERVICE"]
    lock = (ROOT / "requirements" / f"{service}.txt").read_text()
    assert "--hash=sha256:" in lock
    assert containers[name]["image"] == f"libra-{service}:{VERSION}"


def test_the_services_that_set_sysctls_see_those_of_the_host_outside_proc(
    containers: dict[str, Any],
) -> None:
    """Runc refuses every mount below /proc (tried)."""
    for name, container in containers.items():
        root = container.get("environment", {}).get("LIBRA_PROC_SYS")
        assert (root is not None) == (name in PRIVILEGED)
        seen = mounts(container).get(f"{root}/net")
        assert seen == (("/proc/sys/net", True) if name in PRIVILEGED else None)
        assert not [path for path in mounts(container) if path.startswith("/proc")]


def test_nothing_of_the_host_is_writable_but_its_sysctls(containers: dict[str, Any]) -> None:
    for container in containers.values():
        writable = {source for source, writes in mounts(container).values() if writes}
        assert writable <= {"state", "run", "/proc/sys/net"}


@pytest.mark.parametrize("compose", PROGRAMS, ids=PATHS)
@pytest.mark.parametrize("node", ["a", "b"])
def test_all_share_the_node_and_its_server(compose: Compose, node: str) -> None:
    containers = resolved(compose, node)["services"]
    sites = {
        (each["environment"]["LIBRA_NODE"], each["environment"]["LIBRA_NATS"])
        for name, each in containers.items()
        if name != "nats"
    }
    assert sites == {(node, "nats://127.0.0.1:4222")}
    assert containers["nats"]["command"] == ["-c", f"/var/lib/libra/{node}/nats.conf"]
    check = containers["nats"]["healthcheck"]["test"]
    assert check[:-1] == ["CMD", "sh", f"/var/lib/libra/{node}/{HEALTH.name}"]
    seed = containers["health"]["environment"]["LIBRA_SEED_FILE"]
    assert seed == f"/var/lib/libra/{node}/seeds/health.seed"


@pytest.mark.parametrize("compose", PROGRAMS, ids=PATHS)
def test_what_is_said_of_logs_reaches_every_container_of_ours(compose: Compose) -> None:
    """Found by review: `LIBRA_LOG_FORMAT` reached none."""
    said = {"LIBRA_LOG": "debug", "LIBRA_LOG_FORMAT": "text"}
    containers = compose.resolved(said, "cli")["services"]
    for name in containers.keys() - {"nats"}:
        assert said.items() <= containers[name]["environment"].items()


def test_without_a_variable_the_example_and_its_node_come_up(containers: dict[str, Any]) -> None:
    source, writable = mounts(containers["init"])["/etc/libra/libra.yaml"]
    config, _ = read_config(Path(source))
    assert "a" in config.nodes
    assert not writable


def test_up_ends_with_an_error_where_the_config_is_refused(containers: dict[str, Any]) -> None:
    """Compose v2 waits for what something depends on, and starts no more after an error."""
    needs = {name: set(containers[name].get("depends_on", ())) for name in ALL}
    assert {name for name in ALL if "config" in needs[name]} == {"ready"}
    assert not {name for name in ALL if "ready" in needs[name]}
    assert needs["config"] == set(SERVICES)
    assert "--lenient" in containers["init"]["command"]


def test_the_cli_is_no_part_of_up(containers: dict[str, Any]) -> None:
    assert {name for name in ALL if "profiles" in containers[name]} == {"libra"}
    assert containers["libra"]["profiles"] == ["cli"]


@pytest.mark.parametrize("compose", PROGRAMS, ids=PATHS)
def test_a_key_that_compose_does_not_know_is_refused(compose: Compose, tmp_path: Path) -> None:
    file = tmp_path / "docker-compose.yml"
    text = (ROOT / "docker-compose.yml").read_text()
    file.write_text(text.replace("stop_grace_period:", "grace_period:"))
    with pytest.raises(Refused, match="grace_period"):
        compose.resolved({}, file=file)


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
