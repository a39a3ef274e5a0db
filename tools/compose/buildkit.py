"""Build one image with BuildKit too, and compare: both builders must make the same thing.

`python -m tools.compose.buildkit` (root) builds it beside the one that tools/compose/images.py made
with the legacy builder, in the same engine, and compares what lies in /opt/libra byte for byte.
"""

import hashlib
import io
import os
import subprocess
import sys
import tarfile
from pathlib import PurePath

from tools.compose.engine import ROOT, Broken, docker_says, engine, told
from tools.compose.images import names

SERVICE = "notifier"
"""The service whose image is built twice; its closure has the most packages of all services'."""

CLIENTS = ("docker", "/usr/bin/docker")
"""Clients to ask, in this order: one before release 23, or one that has buildx."""

BEFORE_BUILDX = 23
MADE_ON_THE_WAY = {"RECORD", "direct_url.json"}
"""What pip writes of the wheel's archive, whose time stamps differ from build to build."""


def client() -> str | None:
    """Find a client that builds with BuildKit."""
    return next((name for name in CLIENTS if offers_buildkit(name)), None)


def offers_buildkit(name: str) -> bool:
    """Tell whether the client called *name* is there and builds with BuildKit."""
    try:
        version = said(name, "version", "--format", "{{.Client.Version}}")
        release = int(version.partition(".")[0])
    except (OSError, ValueError):
        return False
    return release < BEFORE_BUILDX or said(name, "buildx", "version") != ""


def said(*argv: str) -> str:
    """Return what a command prints; nothing where it fails."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def build(program: str, image: str) -> None:
    """Build the service's image with BuildKit."""
    argv = [program, "build", "--network=host", f"--build-arg=SERVICE={SERVICE}", "-t", image, "."]
    environment = os.environ | {"DOCKER_BUILDKIT": "1", "BUILDKIT_PROGRESS": "plain"}
    done = subprocess.run(
        argv, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise Broken(f"BuildKit's build of {SERVICE} failed:\n{done.stderr[-4000:]}")


def content(image: str) -> dict[str, str]:
    """Digest every file and link of /opt/libra in *image*, byte code aside."""
    container = docker_says("create", "--network=none", image)
    try:
        archive = subprocess.run(
            ["docker", "cp", f"{container}:/opt/libra", "-"], check=True, capture_output=True
        ).stdout
    finally:
        docker_says("rm", container)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {member.name: digest(tar, member) for member in tar if is_compared(member)}


def is_compared(member: tarfile.TarInfo) -> bool:
    """Tell whether two builds of one source must agree on *member*."""
    path = PurePath(member.name)
    return not member.isdir() and path.suffix != ".pyc" and path.name not in MADE_ON_THE_WAY


def digest(tar: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    """Digest mode and content of a file, or name a link's target."""
    if not member.isfile():
        return member.linkname
    file = tar.extractfile(member)
    assert file is not None  # noqa: S101 - tarfile: a regular file always opens
    return f"{member.mode:o} {hashlib.sha256(file.read()).hexdigest()}"


def difference(legacy: dict[str, str], buildkit: dict[str, str]) -> list[str]:
    """Name what two contents do not have in common."""
    return sorted({name for name, _ in legacy.items() ^ buildkit.items()})


def compare() -> None:
    """Build with BuildKit and compare with what the legacy builder made."""
    _, _, ours = names()
    legacy = next(image for image, service in ours.items() if service == SERVICE)
    with engine():
        program = client()
        if program is None:
            print(f"images: no BuildKit: {' and '.join(CLIENTS)} have no buildx", flush=True)
            return
        image = f"{legacy.partition(':')[0]}:buildkit"
        build(program, image)
        first, second = content(legacy), content(image)
        docker_says("rmi", image)
    different = difference(first, second)
    if different or not first:
        shown = ", ".join(different[:10])
        raise Broken(f"{len(different)} of {len(first)} files differ with BuildKit: {shown}")
    packages = sum(PurePath(name).name == "METADATA" for name in first)
    print(f"images: BuildKit makes the same {SERVICE}: {len(first)} files, {packages} packages")


def main() -> int:
    """Compare the builders, or say in one sentence why not."""
    return told(compare)


if __name__ == "__main__":
    sys.exit(main())
