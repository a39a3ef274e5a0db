"""Run a job on the host's own kernel, in namespaces of its own so that nothing of it is touched."""

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

from libra_lab.agent import start_agent
from libra_lab.door import Door
from libra_lab.errors import LabUnavailable
from libra_lab.ground import fresh, loopback_up, raise_limits
from libra_lab.inside import NOTES
from libra_lab.job import Job
from libra_lab.session import Session
from libra_lab.supervise import Streams, supervise
from libra_lab.syscalls import (
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    MS_PRIVATE,
    MS_REC,
    die_with_parent,
    mount,
    setns,
    unshare,
)

CAP_NET_ADMIN = 12
CAP_SYS_ADMIN = 21
FAILED = 125


def is_privileged() -> bool:
    """Tell whether this process is root and may make namespaces and networks."""
    if os.geteuid() != 0:
        return False
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            effective = int(line.split()[1], 16)
            return all(effective >> cap & 1 for cap in (CAP_NET_ADMIN, CAP_SYS_ADMIN))
    return False


def offers_ipvs() -> bool:
    """Tell whether this kernel has IPVS, loading its module where that is needed."""
    if Path("/proc/sys/net/ipv4/vs").is_dir() or Path("/sys/module/ip_vs").is_dir():
        return True
    environment = {"PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}
    with contextlib.suppress(FileNotFoundError):
        done = subprocess.run(
            ["modprobe", "-q", "ip_vs"], env=environment, check=False, capture_output=True
        )
        return done.returncode == 0
    return False


def run_natively(job: Job, timeout: float | None, *, ipvs: bool = True) -> int:
    """Run the job in fresh network, mount and process namespaces; return its exit status.

    Raise LabUnavailable without the privilege, or without IPVS where `ipvs` asks for it.
    """
    if not is_privileged():
        raise LabUnavailable("a native lab needs root: run it as root, or with --uml as anybody")
    if ipvs and not offers_ipvs():
        raise LabUnavailable("this kernel has no ip_vs: use --uml for the lab kernel that has it")
    ours, theirs = socket.socketpair()
    near, far = socket.socketpair()
    with ours, near:

        def body() -> None:
            ours.close()
            near.close()
            _inside(job, theirs.fileno(), far.fileno())

        with theirs, far:
            child = _fork(body)

        def kill() -> None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)

        with Door(near.fileno(), near.fileno()):
            status = Session(ours.fileno(), ours.fileno(), {}, kill, timeout).follow()
        kill()
        os.waitpid(child, 0)
        return FAILED if status is None else status


def _fork(body: Callable[[], None]) -> int:
    """Run `body` as process 1 of fresh namespaces; return its process id, or raise LabUnavailable.

    This process goes back to its own process namespace: elsewhere it can start no thread, says
    clone(2).
    """
    own = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    try:
        unshare(CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID)
        child = os.fork()
        if child == 0:
            body()
        setns(own, CLONE_NEWPID)
    except OSError as error:
        raise LabUnavailable(f"this host allows no namespaces ({error}): use --uml") from error
    finally:
        os.close(own)
    return child


def _inside(job: Job, control: int, line: int) -> None:
    status = FAILED
    try:
        die_with_parent(signal.SIGKILL)
        mount("none", "/", flags=MS_REC | MS_PRIVATE)
        mount("proc", "/proc", "proc")
        mount("sysfs", "/sys", "sysfs")
        for target in ("/run/netns", "/run/libra", "/var/lib/libra", NOTES):
            fresh(target)
        loopback_up()
        raise_limits()
        start_agent(line, {"LIBRA_LAB": "native"})
        os.close(line)
        status = supervise(job, Streams(1, 2), control)
    except OSError as error:
        os.write(2, f"lab/run: {error}\n".encode())
    finally:
        os.write(control, f"exit {status}\n".encode())
        os._exit(0)
