"""Run the tests: those of this host first, then those that need a kernel with IPVS, in the lab.

`tools/test.py [host|lab] [PYTEST ARGUMENTS...]`; the last line sums both runs up. Named test files
take the place of the whole suite.
"""

import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTEST = [".venv/bin/python", "-m", "pytest"]
RUNS = {
    "host": ([*PYTEST, "--ignore=tests/kernel"], "tests"),
    "lab": (["lab/run", "--mem", "3G", "--", *PYTEST], "tests/kernel"),
}


def run(name: str, arguments: list[str]) -> tuple[int, Counter[str]]:
    """Run one suite; return its exit status and how many tests passed, failed and were skipped."""
    report = ROOT / ".pytest_cache" / f"{name}.xml"
    report.parent.mkdir(exist_ok=True)
    report.unlink(missing_ok=True)
    print(f"== tests: {name}", flush=True)
    # The guest sees the checkout, so the report lies in it.
    program, suite = RUNS[name]
    named = any(argument.startswith("tests/") for argument in arguments)
    chosen = arguments if named else [suite, *arguments]
    command = [*program, f"--junitxml={report.relative_to(ROOT)}", *chosen]
    status = subprocess.run(command, cwd=ROOT, check=False).returncode
    return status, count(report)


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
    """Run the named suite, or both."""
    names = [sys.argv[1]] if sys.argv[1:2] and sys.argv[1] in RUNS else list(RUNS)
    arguments = [argument for argument in sys.argv[1:] if argument not in RUNS]
    total: Counter[str] = Counter()
    worst = 0
    for name in names:
        status, counts = run(name, arguments)
        total.update(counts)
        worst = worst or status
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return worst


if __name__ == "__main__":
    sys.exit(main())
