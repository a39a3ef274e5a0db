"""What became of each step that was performed.

Rule: `unknown` is neither success nor refusal; who sees it reads the kernel again and plans anew.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from errno import ENOENT, errorcode
from os import strerror
from typing import Literal

from libra_ipvs_writer.plan import Step
from libra_schemas.operations import AddService, Operation, SetService
from libra_schemas.table import ServiceKey

Status = Literal["done", "refused", "cancelled", "unknown"]


@dataclass(frozen=True, slots=True)
class Result:
    """One operation and its fate; *errno* is the kernel's where it refused."""

    operation: Operation
    status: Status
    errno: int = 0

    @property
    def error(self) -> str:
        """Say the refusal as `EEXIST: File exists`; of a missing module how to get it."""
        said = f"{errorcode.get(self.errno, self.errno)}: {strerror(self.errno)}"
        return f"{said}; {remedy(self.missing)}" if self.missing else said

    @property
    def missing(self) -> str | None:
        """Name the module that the kernel lacks for it.

        net/netfilter/ipvs/ip_vs_ctl.c: a service that is made or set gets ENOENT for a scheduler
        that is not there and could not be loaded by the kernel itself, and for nothing else here.
        """
        match self.operation:
            case AddService(service) | SetService(service) if self.errno == ENOENT:
                return f"ip_vs_{service.scheduler}"
            case _:
                return None


def remedy(module: str) -> str:
    """Say how to get a kernel module of IPVS."""
    return (
        f"this kernel lacks the module {module}: load it with `modprobe {module}` "
        "(it is part of the distribution's full kernel package)"
    )


ResultsByKey = Mapping[ServiceKey, Sequence[Result]]


def by_key(results: Iterable[Result]) -> dict[ServiceKey, list[Result]]:
    """Sort results by the kernel service they are of, their order kept."""
    found: dict[ServiceKey, list[Result]] = {}
    for result in results:
        found.setdefault(result.operation.key, []).append(result)
    return found


def unsettled(results: Iterable[Result]) -> bool:
    """Tell whether a service must be looked at again though the kernel refused it nothing.

    That is so also where only the fate of another service was unknown: its removals were cancelled.
    """
    fates = {result.status for result in results}
    return "unknown" in fates or ("cancelled" in fates and "refused" not in fates)


def due(steps: Iterable[Step], results: Iterable[Result]) -> tuple[list[Step], list[Result]]:
    """Split the destructive *steps* into those that may be sent and those cancelled.

    While anything is unknown nothing may be taken away.
    """
    known = tuple(results)
    if any(result.status == "unknown" for result in known):
        return [], [Result(step.operation, "cancelled") for step in steps]
    done = {result.operation for result in known if result.status == "done"}
    go, stay = [], []
    for step in steps:
        if step.needs and not done.intersection(step.needs):
            stay.append(Result(step.operation, "cancelled"))
        else:
            go.append(step)
    return go, stay


def judge(steps: Iterable[Step], errnos: Iterable[int | None]) -> list[Result]:
    """Judge acknowledgements: 0 = done, None = it never came.

    A step sent along with the one it needs, and refused because that one was, counts as cancelled.
    """
    results: list[Result] = []
    for step, errno in zip(steps, errnos, strict=True):
        if errno is None:
            results.append(Result(step.operation, "unknown"))
        elif errno == 0:
            results.append(Result(step.operation, "done"))
        elif step.needs and not _any_done(step, results):
            results.append(Result(step.operation, "cancelled"))
        else:
            results.append(Result(step.operation, "refused", errno))
    return results


def _any_done(step: Step, results: Iterable[Result]) -> bool:
    return any(each.operation in step.needs for each in results if each.status == "done")
