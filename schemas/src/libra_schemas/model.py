"""The two bases every model here derives from, and the field types they share.

Rule: strict when we write (unknown fields are our mistake), tolerant when we read
(unknown fields are a newer writer's).
"""

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictInt, StringConstraints
from pydantic_core import PydanticCustomError

_HOST = re.compile(r"(?=[^:]*[A-Za-z])([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)\.?(?::[0-9]{1,5})?")
"""A host's name; an address has no letter, or more than one colon."""

NAME_PATTERN = "[A-Za-z0-9][A-Za-z0-9_-]{0,62}"

Name = Annotated[str, StringConstraints(pattern=f"^{NAME_PATTERN}$")]
"""A node, instance, service, backend or sink: one NATS subject token."""

Digest = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
"""Lowercase hex SHA-256."""


def _address(value: Any) -> Any:
    """Read an address that is text, each only once: a log holds the same few over and over."""
    try:
        return _parsed(value) if isinstance(value, str) else value
    except ValueError:
        refuse_name(value)
        return value


def refuse_name(text: str, example: str = "192.0.2.10") -> None:
    """Refuse the name of a host, perhaps with a port, where its address belongs.

    Raise an error of the type `host_name`, a ValueError.
    """
    if match := _HOST.fullmatch(text):
        wanted = "expected a numeric address such as {example}, not the name {name}"
        raise PydanticCustomError("host_name", wanted, {"name": match[1], "example": example})


@lru_cache(maxsize=65536)
def _parsed(text: str) -> IPv4Address | IPv6Address:
    return ip_address(text)


Address = Annotated[IPv4Address | IPv6Address, BeforeValidator(_address)]
Port = Annotated[StrictInt, Field(ge=0, le=65535)]
Weight = Annotated[StrictInt, Field(ge=0, le=65535)]


class Fact(BaseModel):
    """What an event carries: frozen, and tolerant of fields a newer writer added."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Strict(BaseModel):
    """What a person writes: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
