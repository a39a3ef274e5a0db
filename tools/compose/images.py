"""Make LibrA's images from nothing and without a registry of images: `make images`.

`tools/compose/images.py` (root) writes `.state/compose/images.tar`: LibrA's own images by the
project's Dockerfile, on a base that debootstrap makes under the name the Dockerfile asks for, and
the pinned nats-server under the name docker-compose.yml asks for. A Docker engine of our own does
it, without a bridge and without packet filters; its layers stay in `.state/compose/engine`.
Exit status 1: an image cannot be made; 77: no image can be made on this machine.
"""

import contextlib
import fcntl
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / ".state" / "compose"
IMAGES = STATE / "images.tar"
STAMP = STATE / "images.sha256"
NATS_SERVER = ROOT / ".venv" / "bin" / "nats-server"
SOURCES = ("Dockerfile", ".dockerignore", "requirements", "schemas", "libs", "services", "cli")
"""What an image is made of."""

NEEDED = ("debootstrap", "dockerd", "docker")
"""Programs; `tools/setup compose` installs the Debian packages that bring them."""

TRIAL = "libra-trial"
PACKAGES = "python3,python3-pip,python3-venv,ca-certificates,busybox-static"
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
PIP = {
    Path("/etc/pip.conf"): "etc/pip.conf",
    Path.home() / ".config/pip/pip.conf": "root/.config/pip/pip.conf",
}
PATIENCE = 180.0
"""Seconds that the engine has to come up and to end."""

UNFIT = 77
"""Exit status where no engine can run here: nothing is known of the images."""


class Unfit(Exception):
    """This machine cannot make images; the message says what to do."""


class Broken(Exception):
    """An image cannot be made; the message says which and why."""


def require() -> None:
    """Raise Unfit unless we are root and every program is there."""
    if os.geteuid() != 0:
        raise Unfit("debootstrap and dockerd need root: run it with sudo")
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        raise Unfit(f"no {', no '.join(missing)} on this machine; run: tools/setup compose")


def names() -> tuple[str, str, dict[str, str]]:
    """Return the names of the base and of the nats image, and the services by our images' names."""
    base = re.search(r"^ARG PYTHON=(\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    nats = re.fullmatch(r"\$\{\w+:-(.+)\}", services["nats"]["image"])
    if base is None or nats is None:
        raise Broken("Dockerfile or docker-compose.yml no longer name their images as they did")
    built = [each for each in services.values() if "build" in each]
    return base[1], nats[1], {each["image"]: each["build"]["args"]["SERVICE"] for each in built}


def fingerprint() -> str:
    """Digest everything that the images are made of."""
    listing = ["git", "ls-files", "-co", "--exclude-standard", "--", *SOURCES]
    tracked = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    files = [ROOT / name for name in sorted(set(tracked.split("\n"))) if name]
    every = [*files, Path(__file__), NATS_SERVER, ROOT / "docker-compose.yml"]
    digest = hashlib.sha256()
    for file in every:
        if file.is_file():
            digest.update(f"{file.name}\0".encode() + file.read_bytes())
    return digest.hexdigest()


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
                said = Path(log.name).read_text(errors="replace")[-1000:]
                raise Unfit(f"debootstrap failed, see {log.name}; it said last:\n{said}")
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


def make_nats(name: str) -> None:
    """Make the nats image: the pinned nats-server, and busybox for its health check."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        tar.add(STATE / "busybox", "bin/busybox")
        tar.add(NATS_SERVER.resolve(), "usr/local/bin/nats-server")
        for program in ("sh", "wget"):
            link = tarfile.TarInfo(f"bin/{program}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    path = "ENV PATH=/usr/local/bin:/bin"
    load_file_system(name, out.getvalue(), path, 'ENTRYPOINT ["nats-server"]')


def build(image: str, service: str) -> None:
    """Build one of LibrA's images by the project's Dockerfile."""
    argv = ["docker", "build", "--network=host", f"--build-arg=SERVICE={service}", "-t", image, "."]
    done = subprocess.run(
        argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode != 0:
        raise Broken(f"docker build of {image} failed:\n{done.stdout[-4000:]}")


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


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Wait until no other of these runs works on this checkout's engine."""
    STATE.mkdir(parents=True, exist_ok=True)
    with (STATE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make() -> None:
    """Make and save every image; nothing to do where their sources are as they were."""
    wanted = fingerprint()
    if IMAGES.exists() and STAMP.exists() and STAMP.read_text() == wanted:
        return
    STAMP.unlink(missing_ok=True)
    base, nats, ours = names()
    with engine():
        try_out()
        make_base(base)
        make_nats(nats)
        for image, service in ours.items():
            print(f"compose: docker build {image}", flush=True)
            build(image, service)
        docker_says("image", "prune", "--force", "--filter=until=72h")
        subprocess.run(["docker", "save", "-o", str(IMAGES), nats, *ours], check=True)
        shape = "{{.Repository}}:{{.Tag}}\t{{.Size}}"
        listing = docker_says("images", "--filter=dangling=false", "--format", shape)
        print(listing, flush=True)
    STAMP.write_text(wanted)


def main() -> int:
    """Make the images, or say in one sentence why not."""
    return told(make)


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


if __name__ == "__main__":
    sys.exit(main())
