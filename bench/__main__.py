"""`make bench [ROW=name]`: run rows where they belong; exit 1 where one fails or misses."""

import importlib
import subprocess
import sys
from pathlib import Path

from bench.report import Row, tell
from libra_lab.native import is_privileged

ROOT = Path(__file__).resolve().parent.parent
ROWS = (
    "table-cold",
    "memory",
    "table-change",
    "backend-crash",
    "probe-cpu",
    "probe-scale",
    "failover-process",
    "failover-host",
    "advert-jitter",
    "vrrp-load",
)
HERE = "--here"


def row_of(name: str) -> Row:
    """Find a row by name; SystemExit with the names there are otherwise."""
    if name not in ROWS:
        raise SystemExit(f"bench: no row {name!r}; there are: {', '.join(ROWS)}")
    found = importlib.import_module(f"bench.rows.{name.replace('-', '_')}").ROW
    assert isinstance(found, Row)  # noqa: S101  each row module defines ROW
    return found


def run(name: str) -> bool:
    """Run one row, in the lab where it needs that; return whether its target is met."""
    row = row_of(name)
    if row.where == "host":
        return tell(row, row.measure())
    is_native = row.where == "namespaces" and is_privileged()
    command = [str(ROOT / "lab" / "run"), "--mem", "3G", "--env", "N"]
    command += [*(["--no-ipvs"] if is_native else []), "--"]
    command += [sys.executable, "-m", "bench", HERE, name]
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def main(words: list[str]) -> int:
    """Run the named rows, or all of them."""
    if words[:1] == [HERE]:
        row = row_of(words[1])
        return 0 if tell(row, row.measure()) else 1
    results = [run(name) for name in words or ROWS]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
