"""Make LibrA's images from nothing and without a registry of images: `make images`.

`tools/compose/images.py` (root) writes `.state/compose/images.tar`: LibrA's own images by the
project's Dockerfile, on a base that debootstrap makes under the name the Dockerfile asks for, and
the pinned nats-server under the name docker-compose.yml asks for. A Docker engine of our own does
it, without a bridge and without packet filters; its layers stay in `.state/compose/engine`.
Exit status 1: an image cannot be made; 77: no image can be made on this machine.
"""

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import yaml
from tools.compose.base import NATS_SERVER, make_base, make_nats, try_out
from tools.compose.engine import ROOT, STATE, Broken, docker_says, engine, told

IMAGES = STATE / "images.tar"
STAMP = STATE / "images.sha256"
SOURCES = ("Dockerfile", ".dockerignore", "requirements", "schemas", "libs", "services", "cli")
"""What an image is made of."""


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
    makers = sorted(Path(__file__).parent.glob("*.py"))
    every = [*files, *makers, NATS_SERVER, ROOT / "docker-compose.yml"]
    digest = hashlib.sha256()
    for file in every:
        if file.is_file():
            digest.update(f"{file.name}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def build(image: str, service: str) -> None:
    """Build one of LibrA's images by the project's Dockerfile."""
    argv = ["docker", "build", "--network=host", f"--build-arg=SERVICE={service}", "-t", image, "."]
    done = subprocess.run(
        argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode != 0:
        raise Broken(f"docker build of {image} failed:\n{done.stdout[-4000:]}")


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


if __name__ == "__main__":
    sys.exit(main())
