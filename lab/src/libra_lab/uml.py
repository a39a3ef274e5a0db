"""Boot the lab kernel: User-Mode Linux, a whole kernel as one unprivileged process."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from libra_lab.door import Door
from libra_lab.errors import LabUnavailable
from libra_lab.job import Job
from libra_lab.processor import own_processor
from libra_lab.registers import preloaded
from libra_lab.session import Session
from libra_lab.syscalls import die_with_parent

PACKAGES = "user-mode-linux kmod tcc iproute2 ipvsadm tcpdump"
MODULES = Path("/usr/lib/uml/modules")
UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
LOG_LINES = 15
LONGEST_HOME = 60  # a socket's path, below it, has 107 bytes (unix(7))


def size_of(text: str) -> int:
    """Return the bytes that a size such as `512M` or `2G` means; raise ValueError otherwise."""
    number, unit = text[:-1], text[-1:].upper()
    if unit not in UNITS or not number.isdigit() or int(number) == 0:
        raise ValueError(f"a memory size looks like 512M or 2G, not {text!r}")
    return int(number) * UNITS[unit]


def kernel() -> str:
    """Return the path of the lab kernel; raise LabUnavailable if a piece of it is missing."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    found = shutil.which("linux.uml", path=path)
    missing = [
        name
        for name, there in (
            ("linux.uml", found),
            (str(MODULES), MODULES.is_dir()),
            ("modprobe", shutil.which("modprobe", path=path)),
        )
        if not there
    ]
    if missing or found is None:
        raise LabUnavailable(
            f"the lab kernel needs {' and '.join(missing)}: "
            f"run `apt-get install {PACKAGES}` as root"
        )
    return found


def memory_directory(size: int) -> str:
    """Return a directory that can hold the guest's memory of `size` bytes as executable pages."""
    seen = []
    candidates = ["/dev/shm", os.environ.get("TMPDIR", ""), "/tmp"]  # noqa: S108  a search list
    for name in dict.fromkeys(filter(None, candidates)):
        try:
            facts = os.statvfs(name)
        except OSError:
            continue
        free = facts.f_bavail * facts.f_frsize
        if not os.access(name, os.W_OK | os.X_OK):
            seen.append(f"{name} is not writable")
        elif facts.f_flag & os.ST_NOEXEC:
            seen.append(f"{name} is mounted noexec")
        elif free < size:
            seen.append(f"{name} has {free >> 20} MiB free")
        else:
            return name
    raise LabUnavailable(
        f"no directory can hold the guest's {size >> 20} MiB of memory ({'; '.join(seen)}): "
        "give less with --mem, or set TMPDIR to a larger one"
    )


def job_home() -> str | None:
    """Return where the job's files go: TMPDIR, unless the kernel's command line cannot hold it."""
    usual = tempfile.gettempdir()
    return "/tmp" if " " in usual or len(usual) > LONGEST_HOME else None  # noqa: S108  mkdtemp's


def command_line(linux: str, directory: str, memory: int, lines: dict[str, str]) -> list[str]:
    """Return the kernel's command line; `lines` are its consoles and their descriptors."""
    return [
        linux,
        f"mem={memory >> 10}K",
        f"uml_dir={directory}/",
        "umid=guest",
        "rootfstype=hostfs",
        "rootflags=/",
        "rw",
        f"init={directory}/init",
        "con=null",
        "ssl=null",
        *(f"{name}={channel}" for name, channel in lines.items()),
        "panic=-1",
        "quiet",
    ]


def write_init(directory: str, job: Job) -> None:
    """Put the job and the guest's first program into `directory`."""
    source = Path(__file__).resolve().parents[1]
    job_file, init = Path(directory, "job.json"), Path(directory, "init")
    job_file.write_text(job.encode())
    init.write_text(
        f"#!{os.path.realpath(sys.executable)} -IS\n"
        f"import sys\nsys.path.insert(0, {str(source)!r})\n"
        f"from libra_lab.guest import main\nmain({directory!r})\n"
    )
    init.chmod(0o700)


def run_in_uml(job: Job, memory: int, timeout: float | None) -> int:
    """Run the job in the lab kernel with `memory` bytes; return its exit status.

    Raise LabUnavailable if the kernel cannot be booted here.
    """
    home = memory_directory(memory)
    with tempfile.TemporaryDirectory(prefix="libra-lab-", dir=job_home()) as directory:
        write_init(directory, job)
        log = Path(directory, "kernel.log")
        with own_processor() as processor:
            status = _boot(directory, home, memory, log, timeout, processor)
        if status is None:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-LOG_LINES:])
            raise LabUnavailable(
                f"the lab kernel ended without an exit status; it said last:\n{tail}"
            )
        return status


def _begin(processor: int | None) -> None:
    die_with_parent(signal.SIGTERM)
    if processor is not None:
        os.sched_setaffinity(0, {processor})


def _boot(
    directory: str,
    home: str,
    memory: int,
    log: Path,
    timeout: float | None,
    processor: int | None,
) -> int | None:
    linux = kernel()
    out, out_in = os.pipe()
    err, err_in = os.pipe()
    control, control_in = os.pipe()
    orders_out, orders = os.pipe()
    visits, visits_in = os.pipe()
    visitors_out, visitors = os.pipe()
    registers = preloaded()
    with log.open("wb") as log_file:
        ends = (out_in, err_in, control_in, orders_out, visits_in, visitors_out, registers)
        lines = {
            "con0": f"null,fd:{log_file.fileno()}",
            "con1": f"null,fd:{out_in}",
            "con2": f"null,fd:{err_in}",
            "con3": f"fd:{orders_out},fd:{control_in}",
            "con4": f"fd:{visitors_out},fd:{visits_in}",
        }
        process = subprocess.Popen(
            command_line(linux, directory, memory, lines),
            stdin=subprocess.DEVNULL,
            stdout=log_file,
            stderr=log_file,
            pass_fds=(*ends, log_file.fileno()),
            env={
                "PATH": os.defpath,
                "TMPDIR": home,
                "HOME": directory,
                "LD_PRELOAD": f"/proc/self/fd/{registers}",
            },
            start_new_session=True,
            preexec_fn=lambda: _begin(processor),  # noqa: PLW1509  no threads yet
        )
    for descriptor in ends:
        os.close(descriptor)

    def kill() -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    try:
        with Door(visits, visitors):
            return Session(control, orders, {out: 1, err: 2}, kill, timeout).follow()
    finally:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        kill()
        process.wait()
        for descriptor in (out, err, control, orders, visits, visitors):
            os.close(descriptor)
