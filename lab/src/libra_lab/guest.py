"""Process 1 of the lab kernel: build a root of its own over the host's, run the job, power off.

The host's files are seen through an overlay whose changes stay in the guest's memory; only the
directories that the job names as writable are the host's own.
"""

import os
import platform
import sys
import termios
import traceback
import tty
from pathlib import Path

from libra_lab.agent import start_agent
from libra_lab.ground import bind, fresh, loopback_up, raise_limits
from libra_lab.inside import NOTES
from libra_lab.job import Job
from libra_lab.supervise import Streams, piped, supervise
from libra_lab.syscalls import detach, load_module, mount, pivot_root, power_off

BASE = "/run"
HOST = "/run/host"
DEVICE_LINKS = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
}
MODPROBES = ("/usr/sbin/modprobe", "/sbin/modprobe", "/usr/bin/modprobe")


def build_root(job: Job) -> None:
    """Enter an overlay over the host's files; /tmp, /run and the state directories are empty."""
    modules = f"{job.modules}/{platform.release()}"
    load_module(f"{modules}/kernel/fs/overlayfs/overlay.ko")
    fresh(BASE)
    for name in ("changes", "work", "root"):
        Path(f"{BASE}/{name}").mkdir()
    layers = f"lowerdir=/,upperdir={BASE}/changes,workdir={BASE}/work"
    mount("overlay", f"{BASE}/root", "overlay", options=layers)
    os.chdir(f"{BASE}/root")
    fresh("run")
    Path("run/host").mkdir()
    pivot_root(".", "run/host")
    os.chdir("/")
    mount("proc", "/proc", "proc")
    mount("sysfs", "/sys", "sysfs")
    mount("devtmpfs", "/dev", "devtmpfs")
    for name, target in DEVICE_LINKS.items():
        Path("/dev", name).symlink_to(target)
    fresh("/dev/pts", kind="devpts")
    for target in ("/dev/shm", "/tmp", "/var/tmp"):  # noqa: S108  mounting them is the point
        fresh(target, mode="1777")
    for target in ("/var/lib/libra", "/run/netns", "/run/lock", "/run/libra", NOTES):
        fresh(target)
    for path in job.writable + job.visible:
        bind(f"{HOST}{path}", path)
    link = Path("/lib/modules", platform.release())
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.exists():
        link.symlink_to(modules)
    detach(HOST)


def load_ipvs() -> None:
    """Load IPv6 and IPVS; everything else (schedulers, links, tables) loads on demand."""
    program = next(path for path in MODPROBES if Path(path).exists())
    os.waitpid(os.posix_spawn(program, [program, "-a", "ipv6", "ip_vs"], {}), 0)


def open_line(name: str) -> int:
    """Open one of the kernel's console lines without any translation."""
    descriptor = os.open(f"/dev/{name}", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    tty.setraw(descriptor)
    return descriptor


def streams_of(job: Job) -> Streams:
    """Return what the command writes to: a terminal if the caller has one, else pipes."""
    out, err = open_line("tty1"), open_line("tty2")
    if not job.terminal:
        return piped(out, err)
    for line in (out, err):
        termios.tcsetwinsize(line, job.size)
    return Streams(out, err)


def main(directory: str) -> None:
    """Run the job that lies in `directory` and switch the machine off."""
    try:
        job = Job.decode(Path(directory, "job.json").read_text())
        build_root(job)
        load_ipvs()
        loopback_up()
        raise_limits()
        start_agent(open_line("tty4"), {"LIBRA_LAB": "uml"})
        control = open_line("tty3")
        streams = streams_of(job)
        outputs = [*streams.pumps.values(), streams.out, streams.err]
        status = supervise(job, streams, control)
        for line in outputs[:2]:
            termios.tcdrain(line)
        os.write(control, f"exit {status}\n".encode())
        termios.tcdrain(control)
    except BaseException:  # noqa: BLE001  process 1 must not end before the power does
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        power_off()
