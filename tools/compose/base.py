"""Images that nothing of LibrA is in: the base from debootstrap, nats-server's, one to try."""

import io
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from tools.compose.engine import ROOT, STATE, Broken, Unfit, docker_says

NATS_SERVER = ROOT / ".venv" / "bin" / "nats-server"

PACKAGES = "python3,python3-pip,python3-venv,ca-certificates,busybox-static"
NO_SUCH_PACKAGE = "Couldn't find these debs"
"""What debootstrap says of a package that its mirror does not have."""

AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
PIP = {
    Path("/etc/pip.conf"): "etc/pip.conf",
    Path.home() / ".config/pip/pip.conf": "root/.config/pip/pip.conf",
}
TRIAL = "libra-trial"


def try_out() -> None:
    """Raise Unfit if no container can run here: one whose only file is the pinned nats-server."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        tar.add(NATS_SERVER.resolve(), "nats-server")
    run = ["docker", "run", "--rm", "--network=host", TRIAL, "/nats-server", "--version"]
    for argv, given in ((["docker", "import", "-", TRIAL], layer.getvalue()), (run, None)):
        done = subprocess.run(argv, input=given, capture_output=True, check=False)
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip().partition("\n")[0]
            raise Unfit(f"no container can run on this machine: {said}")
    docker_says("rmi", TRIAL)


def make_base(name: str) -> None:
    """Make the base image: a minimal Debian with Python, and this host's ways to its index."""
    busybox = STATE / "busybox"
    if docker_says("images", "--quiet", name) and busybox.exists():
        return
    print(f"compose: debootstrap makes {name}", flush=True)
    with tempfile.TemporaryDirectory(prefix="base-", dir=STATE) as directory:
        suite = name.rpartition("-")[2]
        argv = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", suite, directory]
        with (STATE / "debootstrap.log").open("wb") as log:
            if subprocess.run(argv, stdout=log, stderr=log, check=False).returncode != 0:
                raise base_failure(Path(log.name))
        Path(directory, "bin/busybox").rename(busybox)
        shutil.rmtree(Path(directory, "var/cache/apt"))
        shutil.rmtree(Path(directory, "var/lib/apt/lists"))
        for source, target in {AUTHORITIES: str(AUTHORITIES)[1:], **PIP}.items():
            if source.exists():
                Path(directory, target).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, Path(directory, target))
        Path(directory).chmod(0o755)
        with subprocess.Popen(["tar", "-C", directory, "-c", "."], stdout=subprocess.PIPE) as tar:
            load_file_system(name, tar)


def base_failure(log: Path) -> Exception:
    """Say why debootstrap failed: of what we asked for, or of this machine and its mirror."""
    said = log.read_text(errors="replace")[-1000:]
    kind = Broken if NO_SUCH_PACKAGE in said else Unfit
    return kind(f"debootstrap failed, see {log}; it said last:\n{said}")


def make_nats(name: str) -> None:
    """Make the nats image: the pinned nats-server, and busybox for its health check."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        tar.add(STATE / "busybox", "bin/busybox")
        tar.add(NATS_SERVER.resolve(), "usr/local/bin/nats-server")
        for program in ("sh", "wget", "nc", "timeout", "tail", "df", "awk", "rm"):
            link = tarfile.TarInfo(f"bin/{program}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    path = "ENV PATH=/usr/local/bin:/bin"
    load_file_system(name, out.getvalue(), path, 'ENTRYPOINT ["nats-server"]')


def load_file_system(name: str, archive: "subprocess.Popen[bytes] | bytes", *changes: str) -> None:
    """Make an image of an archived root file system."""
    words = [word for change in changes for word in ("--change", change)]
    argv = ["docker", "import", *words, "-", name]
    if isinstance(archive, bytes):
        subprocess.run(argv, input=archive, check=True, stdout=subprocess.DEVNULL)
        return
    subprocess.run(argv, stdin=archive.stdout, check=True, stdout=subprocess.DEVNULL)
    if archive.wait() != 0:
        raise Broken("tar could not read the base's file system")
