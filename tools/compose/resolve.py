"""Let compose read docker-compose.yml, as `make check` does with every compose at hand.

`python -m tools.compose.resolve`: the pinned compose of .venv (the line of `docker compose`) and,
where it is installed, the system's (Debian 12: docker-compose 1.29). Neither needs an engine.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
PINNED = ROOT / ".venv" / "bin" / "docker-compose"
SYSTEM = Path("/usr/bin/docker-compose")

SETTINGS: tuple[Mapping[str, str], ...] = (
    {},
    {"LIBRA_NODE": "b", "LIBRA_CONFIG": str(ROOT / "examples/libra.yaml")},
    {"LIBRA_SECRETS": "/etc/libra/secrets", "LIBRA_NATS_IMAGE": "nats:2", "LIBRA_LOG": "debug"},
)
"""What users set: nothing; the second director and a config of their own; the rest."""


class Refused(Exception):
    """Compose does not take the file; the message is what it said."""


@dataclass(frozen=True, slots=True)
class Compose:
    """One compose program."""

    program: Path

    def version(self) -> str:
        """Tell its version, without the leading v that newer ones print."""
        return self.run({}, "version", "--short").strip().removeprefix("v")

    def run(self, setting: Mapping[str, str], *words: str) -> str:
        """Run it in the checkout with nothing set but *setting*; raise Refused if it fails."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        done = subprocess.run(
            [str(self.program), *words],
            cwd=ROOT,
            env={**kept, **setting},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise Refused(done.stderr.strip() or done.stdout.strip())
        return done.stdout

    def resolved(
        self, setting: Mapping[str, str], *profiles: str, file: Path | None = None
    ) -> dict[str, Any]:
        """Give the configuration that it makes of the file, with every variable filled in."""
        chosen = [word for profile in profiles for word in ("--profile", profile)]
        source = str(file or ROOT / "docker-compose.yml")
        with tempfile.NamedTemporaryFile(prefix="libra-", suffix=".env") as nothing:
            words = ("--env-file", nothing.name, "-f", source, *chosen, "config")
            return dict(yaml.safe_load(self.run(setting, *words)))


def at_hand() -> list[Compose]:
    """List the programs that this machine has; the pinned one is always there."""
    return [Compose(path) for path in (PINNED, SYSTEM) if path == PINNED or shutil.which(path)]


def main() -> int:
    """Let every program resolve the file for every setting; say who did, or what was refused."""
    programs = at_hand()
    for compose in programs:
        for setting in SETTINGS:
            try:
                compose.resolved(setting, "cli")
            except Refused as error:
                shown = " ".join(f"{name}={value}" for name, value in setting.items())
                print(f"docker-compose.yml: {shown} {error}".strip(), file=sys.stderr)
                return 1
    print(f"docker-compose.yml: read by compose {', '.join(each.version() for each in programs)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
