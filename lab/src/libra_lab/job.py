"""What `lab/run` hands to the first process of the lab, and the words of the control channel."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

NAMES = (
    "CHAOS CI COLUMNS FORCE_COLOR HOME KEEP KEEPALIVED LANG LINES LOGNAME NO_COLOR PATH ROW TERM "
    "TZ USER VIRTUAL_ENV"
)
CARRIED = frozenset(NAMES.split())
CARRIED_PREFIXES = ("LC_", "LIBRA_", "PYTEST_", "PYTHON", "COVERAGE_", "HYPOTHESIS_")


@dataclass(frozen=True, slots=True)
class Job:
    """One command to run in the lab.

    `writable` are host directories whose changes reach the host, `visible` are host paths under
    /tmp or /run that stay visible; `terminal` says that the caller's output is a terminal, of
    `size` (rows, columns).
    """

    argv: list[str]
    cwd: str
    environment: dict[str, str]
    writable: list[str]
    visible: list[str]
    modules: str = ""
    terminal: bool = False
    size: tuple[int, int] = (24, 80)

    def encode(self) -> str:
        """Return the job as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def decode(cls, text: str) -> "Job":
        """Return the job that `encode` wrote."""
        fields = json.loads(text)
        fields["size"] = tuple(fields["size"])
        return cls(**fields)


def carried(environment: Mapping[str, str], names: Iterable[str] = ()) -> dict[str, str]:
    """Return the part of the caller's environment that enters the lab, plus `names`."""
    wanted = CARRIED | frozenset(names)
    return {
        name: value
        for name, value in environment.items()
        if name in wanted or name.startswith(CARRIED_PREFIXES)
    }


def outermost(paths: Iterable[str]) -> list[str]:
    """Return `paths` without duplicates and without those that lie inside another, sorted."""
    kept: list[str] = []
    for path in sorted({path.rstrip("/") for path in paths}):
        if path and not any(path.startswith(f"{other}/") for other in kept):
            kept.append(path)
    return kept
