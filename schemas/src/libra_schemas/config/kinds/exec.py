"""Check `exec`: a program of the operator's looks."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from libra_schemas.config.command import Command, whole
from libra_schemas.model import Strict

OURS = "LIBRA_"
"""How the names begin of what the check itself says to its program."""


def _given(value: str) -> str:
    if value.startswith(OURS):
        raise ValueError(f"begins with {OURS}, which the check itself sets")
    return value


Variable = Annotated[
    str,
    Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$", examples=["PGDATABASE"]),
    AfterValidator(_given),
]
Text = Annotated[str, AfterValidator(whole)]
User = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,31}$", examples=["nobody"])]


class ExecSpec(Strict):
    """Run a program; 0 passes, else what it wrote is told. What it leaves running is killed."""

    command: Command
    """The program, by its whole path, and its arguments; no shell. In its environment it finds
    LIBRA_ADDRESS, LIBRA_FAMILY, LIBRA_PORT, LIBRA_BIND, LIBRA_INTERFACE and LIBRA_FWMARK, as far as
    the check has them.
    """
    environment: dict[Variable, Text] = Field(default_factory=dict)
    """Further variables by name; secrets are refused."""
    user: User | None = None
    """Whose rights it has; without it the health service's own, or nobody's where those are root's.
    Only root gives others, and runs as root only what nobody else may change.
    """
    weight: Literal["status", "stdout"] | None = None
    """What says the weight in points. `status`: 0 passes and says nothing of it, 1 fails, 2-255
    pass and mean 0-253. `stdout`: with exit status 0, the number of 0-65535 on its first line.
    """
