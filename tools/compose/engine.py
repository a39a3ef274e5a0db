"""The Docker engine of our own that makes the images, and what to tell where none can run."""

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / ".state" / "compose"

NEEDED = ("debootstrap", "dockerd", "docker")
"""Programs; `tools/setup compose` installs the Debian packages that bring them."""

PATIENCE = 180.0
"""Seconds that the engine has to come up and to end."""

UNFIT = 77
"""Exit status where no engine can run here: nothing is known of the images."""


class Unfit(Exception):
    """This machine cannot make images; the message says what to do."""


class Broken(Exception):
    """An image cannot be made; the message says which and why."""


def told(work: Callable[[], None]) -> int:
    """Do what needs the engine; say in one sentence why it cannot be done."""
    try:
        require()
        with alone():
            work()
    except Unfit as error:
        print(f"images: {error}", file=sys.stderr)
        return UNFIT
    except (Broken, subprocess.CalledProcessError) as error:
        print(f"images: {error}", file=sys.stderr)
        return 1
    return 0


def require() -> None:
    """Raise Unfit unless we are root and every program is there."""
    if os.geteuid() != 0:
        raise Unfit("debootstrap and dockerd need root: run it with sudo")
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        raise Unfit(f"no {', no '.join(missing)} on this machine; run: tools/setup compose")


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Wait until no other of these runs works on this checkout's engine."""
    STATE.mkdir(parents=True, exist_ok=True)
    with (STATE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def engine() -> Iterator[None]:
    """Run a Docker engine of our own while the block runs; DOCKER_HOST names it."""
    with tempfile.TemporaryDirectory(prefix="libra-engine-") as name:
        socket = f"unix://{name}/docker.sock"
        argv = [
            *("dockerd", "-H", socket, "--pidfile", f"{name}/pid", "--exec-root", f"{name}/exec"),
            *("--data-root", str(STATE / "engine"), "--bridge=none", "--iptables=false"),
            *("--ip6tables=false", "--ip-forward=false", "--ip-masq=false"),
        ]
        with (STATE / "engine.log").open("wb") as log:
            process = subprocess.Popen(argv, stdout=log, stderr=log, start_new_session=True)
        os.environ |= {"DOCKER_HOST": socket, "DOCKER_BUILDKIT": "0"}
        try:
            await_engine(process)
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE)
            unmount_below(name)


def unmount_below(directory: str) -> None:
    """Unmount what the engine leaves mounted below *directory*: its builds' network namespace."""
    targets = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    left = [target for target in targets if target.startswith(f"{directory}/")]
    for target in reversed(left):
        subprocess.run(["umount", target], check=True)


def await_engine(process: "subprocess.Popen[bytes]") -> None:
    """Wait until the engine answers; raise Unfit if it ends or takes too long."""
    deadline = time.monotonic() + PATIENCE
    while not docker_says("version", "--format", "{{.Server.Version}}"):
        if process.poll() is not None or time.monotonic() > deadline:
            log = STATE / "engine.log"
            said = log.read_text(errors="replace").splitlines() or ["nothing"]
            raise Unfit(f"dockerd does not come up, see {log}; it said last: {said[-1]}")
        time.sleep(0.2)


def docker_says(*words: str) -> str:
    """Return what a docker command prints; nothing where it fails."""
    return subprocess.run(
        ["docker", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,
    ).stdout.strip()
