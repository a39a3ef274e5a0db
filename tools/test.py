"""Run the tests: those of this host, and beside them those in the lab.

`tools/test.py [host|network|lab|campaign] [PYTEST ARGUMENTS...]`; the last line sums the runs up.
Named test files take the place of the whole suite. What needs network namespaces and quick timers,
but no IPVS (the marker `network`), runs on this host's kernel where we may make namespaces: the
lab's kernel has one slow processor, which leaves others free. What the lab says follows when it has
ended. The campaign bounds times, and runs only where it is named.
"""

import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
PYTEST = [".venv/bin/python", "-m", "pytest"]
NATIVELY = ["lab/run", "--no-ipvs", "--"]
IN_THE_LAB = ["lab/run", "--mem", "3G", "--"]
SUITES = {
    "host": ["--ignore=tests/kernel", "tests"],
    "network": ["-m", "network", "tests/kernel"],
    "lab": ["-m", "kernel", "tests/kernel"],
    "campaign": ["-m", "campaign", "tests/kernel"],
}
USUAL = ("host", "network", "lab")


def place(name: str) -> list[str]:
    """Return what a suite is run by."""
    if name == "host":
        return []
    if name == "lab" or subprocess.run([*NATIVELY, "true"], cwd=ROOT, check=False).returncode:
        return IN_THE_LAB
    return NATIVELY


def run(
    name: str, arguments: list[str], output: IO[bytes] | None = None
) -> tuple[int, Counter[str]]:
    """Run one suite; return its exit status and how many tests passed, failed and were skipped."""
    report = ROOT / ".pytest_cache" / f"{name}.xml"
    report.parent.mkdir(exist_ok=True)
    report.unlink(missing_ok=True)
    print(f"== tests: {name}{', told at the end' if output else ''}", flush=True)
    # The guest sees the checkout, so the report lies in it.
    named = any(argument.startswith("tests/") for argument in arguments)
    chosen = arguments if named else [*SUITES[name], *arguments]
    command = [*place(name), *PYTEST, f"--junitxml={report.relative_to(ROOT)}", *chosen]
    status = subprocess.run(command, cwd=ROOT, check=False, stdout=output, stderr=output).returncode
    return status, count(report)


def run_beside(names: list[str], arguments: list[str]) -> list[tuple[int, Counter[str]]]:
    """Run suites one after the other, and the lab's beside them."""
    others = [name for name in names if name != "lab"]
    with TemporaryFile() as said, ThreadPoolExecutor(1) as aside:
        lab = aside.submit(run, "lab", arguments, said)
        done = [run(name, arguments) for name in others]
        done.append(lab.result())
        said.seek(0)
        print("== tests: lab, what it said", flush=True)
        sys.stdout.buffer.write(said.read())
        sys.stdout.flush()
    return done


def count(report: Path) -> Counter[str]:
    """Sum a JUnit report up; a missing one counts as one failure."""
    if not report.exists():
        return Counter(failed=1)
    found: Counter[str] = Counter()
    for suite in ET.parse(report).getroot().iter("testsuite"):
        broken = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped = int(suite.get("skipped", 0))
        found.update(failed=broken, skipped=skipped)
        found["passed"] += int(suite.get("tests", 0)) - broken - skipped
    return found


def main() -> int:
    """Run the named suite, or the usual ones."""
    names = [sys.argv[1]] if sys.argv[1:2] and sys.argv[1] in SUITES else list(USUAL)
    arguments = [argument for argument in sys.argv[1:] if argument not in SUITES]
    total: Counter[str] = Counter()
    worst = 0
    several = len(names) > 1
    done = run_beside(names, arguments) if several else [run(names[0], arguments)]
    for status, counts in done:
        total.update(counts)
        worst = worst or status
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return worst


if __name__ == "__main__":
    sys.exit(main())
