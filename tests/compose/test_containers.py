"""What a container may do, what its health check says, and how it ends: all of it by effect."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.compose.deployment import (
    CONFIG,
    DR,
    FACTS,
    KEPT,
    PATIENCE,
    ROOT,
    SERVICES,
    Deployment,
    docker,
)

from libra_lab.capture import capture
from libra_lab.commands import run
from libra_lab.probe import Probe
from libra_lab.waiting import wait_until

pytestmark = pytest.mark.timeout(600)

CAPABILITIES = {
    "SETGID": 6, "SETUID": 7, "NET_ADMIN": 12, "NET_RAW": 13, "IPC_LOCK": 14, "SYS_NICE": 23,
}  # fmt: skip
"""By number (linux/capability.h)."""

NOBODY = (65534, 65534, 0)
LOOPBACK, OWN = "127.0.0.1", "192.0.2.1"
LISTENING = {
    "nats": {(LOOPBACK, 4222), (LOOPBACK, 8222)},
    "console": {(LOOPBACK, 9640)},
    "health": {(LOOPBACK, 9641)},
    "vrrp": {(LOOPBACK, 9642), (OWN, 9645)},
    "ipvs-writer": {(LOOPBACK, 9643)},
    "notifier": {(LOOPBACK, 9644)},
}
"""The other node is tied to port 9645 of this one's address."""
VOLUMES = {"/var/lib/libra", "/run/libra", "/tmp"}  # noqa: S108 - where containers may write
KERNELS = re.compile(r"/(proc|sys|dev)(/|$)")
OFF = "JetStream is off|the log cannot be read|the log refuses|No space left"
TABLE = re.compile(r"^\| `([a-z-]+)` \| (\d+):(\d+) \| ([^|]+) \|", re.MULTILINE)


class Rights(NamedTuple):
    """Who a process is and what it may: its capabilities as a mask."""

    uid: int
    gid: int
    capabilities: int


def documented() -> dict[str, Rights]:
    """Read from deploy/README.md who each container is, and what it may."""
    found = {}
    for name, uid, gid, words in TABLE.findall((ROOT / "deploy/README.md").read_text()):
        numbers = [
            CAPABILITIES[word] for word in re.findall(r"[A-Z_]{6,}", words) if word in CAPABILITIES
        ]
        found[name] = Rights(int(uid), int(gid), sum(1 << number for number in numbers))
    return found


def processes(director: Deployment, service: str) -> dict[int, str]:
    """Give the processes of a container: command line by its number on the host."""
    rows = docker("top", director.container(service), "-o", "pid,args").splitlines()[1:]
    return {int(pid): args for pid, _, args in (row.strip().partition(" ") for row in rows)}


def process(director: Deployment, service: str, word: str) -> int:
    """Find the process of a container whose command line has *word*."""
    found = [pid for pid, args in processes(director, service).items() if word in args]
    assert len(found) == 1, found
    return found[0]


def field(pid: int, name: str, base: int = 10) -> list[int]:
    """Read the numbers of a line of /proc/PID/status."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    line = next(line for line in lines if line.startswith(f"{name}:"))
    return [int(word, base) for word in line.split()[1:]]


def rights(pid: int) -> Rights:
    """Read who a process is; all of its ids and of its capability sets must agree."""
    (uid,), (gid,) = set(field(pid, "Uid")), set(field(pid, "Gid"))
    effective, permitted = field(pid, "CapEff", 16), field(pid, "CapPrm", 16)
    assert effective == permitted
    assert field(pid, "NoNewPrivs") == [1]
    assert set(field(pid, "Groups")) <= {64640}
    return Rights(uid, gid, effective[0])


def await_sentence(director: Deployment, service: str, pattern: str) -> None:
    """Wait until the health check says what matches."""
    what = f"{service} says {pattern!r}"
    wait_until(
        lambda: re.search(pattern, director.complaint(service)) is not None, what, PATIENCE, 0.5
    )


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Let a process hang while the block runs (SIGSTOP)."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def inside(director: Deployment, service: str, script: str, *options: str) -> str:
    """Run a shell's words in a container, whatever becomes of them; give all they printed."""
    return subprocess.run(
        ["docker", "exec", *options, director.container(service), "sh", "-c", script],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    ).stdout  # fmt: skip


@pytest.mark.parametrize("service", KEPT)
def test_processes_are_who_the_table_says_and_may_what_it_says(
    running: Deployment, service: str
) -> None:
    wanted = documented()[service]
    for pid, command in processes(running, service).items():
        mine = Rights(*NOBODY) if "reporter" in command else wanted
        assert rights(pid) == mine, command
        assert field(pid, "CapBnd", 16) == [wanted.capabilities]


@pytest.mark.parametrize("service", KEPT)
def test_only_the_volumes_are_writable(running: Deployment, service: str) -> None:
    pid = next(iter(processes(running, service)))
    rows = [line.split() for line in Path(f"/proc/{pid}/mountinfo").read_text().splitlines()]
    writable = {row[4] for row in rows if "rw" in row[5].split(",") and not KERNELS.match(row[4])}
    shared = {"/host/proc/sys/net"} if service in {"vrrp", "ipvs-writer"} else set()
    assert writable == ({"/var/lib/libra", "/tmp"} if service == "nats" else VOLUMES) | shared  # noqa: S108
    said = inside(running, service, "for d in / /etc /usr /bin; do echo 1 >$d/x; done 2>&1")
    assert said.count("Read-only file system") == 4, said


def test_services_listen_on_loopback_alone_but_for_the_other_nodes_tether(
    running: Deployment,
) -> None:
    owner = {pid: service for service in KEPT for pid in processes(running, service)}
    heard: dict[str, set[tuple[str, int]]] = {service: set() for service in KEPT}
    for line in run(["ss", "-Hltunp"]).splitlines():
        for pid in map(int, re.findall(r"pid=(\d+)", line)):
            if pid in owner:
                address, _, port = line.split()[4].rpartition(":")
                heard[owner[pid]].add((address, int(port)))
    assert heard == LISTENING


def test_no_container_holds_or_reads_anothers_secrets(running: Deployment) -> None:
    for service in KEPT:
        for pid in processes(running, service):
            words = Path(f"/proc/{pid}/environ").read_text()
            assert "hook" not in words, words
            assert not re.search(r"SU[A-Z0-9]{50,}", words), words
    for service in ("health", "notifier", "nats", "ipvs-writer"):
        other = "/var/lib/libra/a/seeds/console.seed"
        assert "denied" in inside(running, service, f"echo read <{other}"), service


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_holds_the_closure_of_its_service_and_nothing_that_builds(
    running: Deployment, service: str
) -> None:
    packages = inside(running, service, "ls /opt/libra/lib/python3*/site-packages").split()
    ours = {name for name in packages if re.fullmatch(r"libra_[a-z_]+", name)}
    assert ours == {"libra_runtime", "libra_schemas", f"libra_{service.replace('-', '_')}"}
    assert ("aiosmtplib" in packages) == ("aiohttp" in packages) == (service == "notifier")
    assert not {"pip", "setuptools", "wheel"} & set(packages)
    names = ("cc", "gcc", "ld", "make", "*.whl", "*.deb")
    sought = " -o ".join(f"-name '{name}'" for name in names)
    found = inside(running, service, f"find / -xdev -type f \\( {sought} \\) 2>/dev/null")
    assert not [
        each
        for each in found.split()
        if "/ensurepip/" not in each and "/python-wheels/" not in each
    ]
    kept = inside(running, service, "ls -d /root; ls -A /root /var/cache/apt", "--user=0")
    assert kept.startswith("/root\n")
    assert "Permission" not in kept
    assert not [line for line in kept.splitlines() if re.search(r"\.cache|\.bin", line)]


def test_a_nats_that_hangs_is_told_by_all_and_traffic_goes_on(running: Deployment) -> None:
    with Probe(running.client, DR, interval=0.2, timeout=15) as probe:
        docker("pause", running.container("nats"))
        try:
            for service in SERVICES:
                await_sentence(running, service, "nats://127.0.0.1:4222")
        finally:
            docker("unpause", running.container("nats"))
        back = running.await_well(*KEPT)
        probe.wait_for(5)
    FACTS.append(f"nats hung: all well {back:.1f} s after")
    assert probe.failures() == []


@pytest.mark.parametrize("service", [name for name in SERVICES if name != "vrrp"])
def test_a_service_that_hangs_is_told(running: Deployment, service: str) -> None:
    with stopped(process(running, service, f"python /opt/libra/bin/libra-{service}")):
        await_sentence(running, service, "nothing healthy answers on 127.0.0.1:")
    running.await_well(service)


def test_a_machine_that_hangs_is_replaced(running: Deployment) -> None:
    """The guard kills it, so that it can never thaw, and starts another."""
    hung = process(running, "vrrp", " machine ")
    os.kill(hung, signal.SIGSTOP)
    wait_until(lambda: not Path(f"/proc/{hung}").exists(), "the guard ends it", PATIENCE)
    running.await_well("vrrp")
    wait_until(running.owns_address, "the address is back", PATIENCE)
    running.await_answer(DR)


@pytest.mark.parametrize("child", [" machine ", " reporter ", "bin/libra-vrrp"])
def test_a_process_of_vrrp_that_dies_comes_back_by_itself(running: Deployment, child: str) -> None:
    killed = process(running, "vrrp", child)
    with Probe(running.client, DR, interval=0.1, timeout=5) as probe:
        probe.wait_for(3)
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: not Path(f"/proc/{killed}").exists(), "it is gone", PATIENCE)
        running.await_well("vrrp")
        running.await_answer(DR)
    FACTS.append(f"vrrp, {child.strip()} killed: {probe.gap():.2f} s without an answer")
    if child == " reporter ":
        assert probe.failures() == []


def test_a_wrong_sysctl_is_told_with_the_line_that_mends_it(running: Deployment) -> None:
    run(["sysctl", "-w", "net.ipv4.ip_forward=0"])
    try:
        await_sentence(running, "ipvs-writer", "sysctl -w net.ipv4.ip_forward=")
    finally:
        run(["sysctl", "-w", "net.ipv4.ip_forward=1"])
    running.await_well("ipvs-writer")


def test_a_missing_secret_is_told_by_the_notifier(running: Deployment) -> None:
    key = Path(os.environ["LIBRA_SECRETS"], "hook.key")
    away = key.rename(key.with_suffix(".away"))
    try:
        sentence = "sink hook: secret_file /etc/libra/secrets/hook.key: No such file or directory"
        await_sentence(running, "notifier", sentence)
    finally:
        away.rename(key)
    running.await_well("notifier")


def test_a_console_without_its_socket_makes_it_anew(running: Deployment) -> None:
    volume = docker("volume", "inspect", "-f", "{{.Mountpoint}}", "libra_run").strip()
    Path(volume, "a", "console.sock").unlink()
    wait_until(Path(volume, "a", "console.sock").is_socket, "a socket", PATIENCE)
    running.await_well("console")
    assert "front" in running.libra("status")


def test_a_log_on_a_full_disk_is_told_and_goes_on_once_there_is_room(running: Deployment) -> None:
    """nats-server takes nothing more, for good: its health check ends it, the engine starts it.

    Who has something to log says so too; the others where nats-server turned JetStream off, which
    it does as it happens to meet the full disk.
    """
    table, before = running.ipvsadm(), process(running, "nats", "nats-server")
    try:
        with full(Path("/run/engine/data"), running.seed().parents[1] / "filler"):
            os.kill(process(running, "vrrp", " machine "), signal.SIGKILL)
            said = "no room on the disk of /var/lib/libra/a/nats: 0 KiB free"
            await_sentence(running, "nats", said)
            os.kill(running.servers["n2"].pid, signal.SIGSTOP)
            for service in ("vrrp", "health"):
                await_sentence(running, service, OFF)
            assert running.ipvsadm() == table
            assert process(running, "nats", "nats-server") == before
        began = time.monotonic()
        nat = "192.0.2.10:80"
        wait_until(lambda: len(running.backends(nat)) == 1, "n2 is out", PATIENCE)
        took = time.monotonic() - began
        FACTS.append(f"room on the disk: a verdict in the table {took:.1f} s after")
    finally:
        os.kill(running.servers["n2"].pid, signal.SIGCONT)
    wait_until(lambda: running.ipvsadm() == table, "n2 is back", PATIENCE)
    running.await_well(*KEPT)
    running.await_answer(DR)


@contextmanager
def full(disk: Path, filler: Path) -> Iterator[None]:
    """Leave no room on *disk*, a tmpfs, while the block runs."""
    used = int(run(["df", "-k", "--output=used", str(disk)]).split()[-1])
    run(["mount", "-o", f"remount,size={used + 1024}k", str(disk)])
    try:
        with filler.open("wb", buffering=0) as file:
            write = lambda: file.write(bytes(4096))  # noqa: E731
            while succeeds(write):
                pass
        yield
    finally:
        filler.unlink()
        run(["mount", "-o", "remount,size=75%", str(disk)])


def succeeds(act: Callable[[], object]) -> bool:
    """Tell whether the kernel lets it be done."""
    try:
        act()
    except OSError:
        return False
    return True


def test_stop_ends_all_in_order_and_leaves_what_the_config_says(running: Deployment) -> None:
    file = Path(os.environ["LIBRA_CONFIG"])
    file.write_text(CONFIG.replace("forward: nat\n", "forward: nat\n    on_stop: remove\n"))
    running.libra("apply", "libra.yaml")
    kept = [line for line in running.ipvsadm() if "192.0.2.10:8080" in line]
    assert len(running.ipvsadm()) > len(kept)
    with capture("host", "eth0", "vrrp") as seen:
        began = time.monotonic()
        running.compose("stop")
        took = time.monotonic() - began
        seen.wait_for(r"prio(rity)? 0\b")
    codes = {service: running.state(service, "{{.State.ExitCode}}") for service in KEPT}
    assert codes == dict.fromkeys(KEPT, "0")
    assert not running.owns_address()
    assert running.ipvsadm() == kept
    FACTS.append(f"stop: {took:.1f} s for all")
    file.write_text(CONFIG)
    running.compose("up", "-d")
    running.await_answer(DR)
    running.await_well(*KEPT)
    running.libra("apply", "libra.yaml")


@pytest.mark.parametrize("service", KEPT)
def test_a_restart_ends_within_the_grace(running: Deployment, service: str) -> None:
    grace = float(running.state(service, "{{.Config.StopTimeout}}"))
    began = time.monotonic()
    docker("stop", running.container(service))
    took = time.monotonic() - began
    assert running.state(service, "{{.State.ExitCode}}") == "0"
    assert took < grace
    docker("start", running.container(service))
    running.await_well(service)
    FACTS.append(f"{service}: stopped in {took:.1f} s")


def test_the_machine_of_vrrp_has_real_time_priority(running: Deployment) -> None:
    machine = process(running, "vrrp", "machine")
    assert os.sched_getscheduler(machine) == os.SCHED_RR
