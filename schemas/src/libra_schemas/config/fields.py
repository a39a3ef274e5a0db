"""Field types of the config: durations and endpoints as people write them.

Rule: durations are seconds (float) once parsed; endpoints keep their address family.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_interface
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from libra_schemas.model import Address, refuse_name

_DURATION = re.compile(r"^([0-9]{1,12}(?:\.[0-9]{1,6})?)(ms|s|m|h|d)$")
_UNIT = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
SWITCHES = {"on": "true", "yes": "true", "off": "false", "no": "false"}
"""What YAML 1.1 took for true and false."""
_A_DURATION = "expected a duration such as 500ms, 1s, 5m or 1h"
_UNITS = "one number and its unit, ms, s, m, h or d, without a blank"
_ENDPOINT = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<v4>[0-9.]+)):(?P<port>[0-9]{1,5})")
_PORT_RANGE = re.compile(r".+:[0-9]{1,5}-[0-9]{1,5}")
_MAX_PORT = 65535
_LONGEST = 1e9
_PLACE = "an address such as 192.0.2.10:80 or [2001:db8::10]:80"


def parse_duration(value: Any) -> float:
    """Parse `500ms`, `1s`, `5m`, `1h`, `1d` or a number of seconds; raise ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(_A_DURATION)
    if isinstance(value, str):
        match = _DURATION.fullmatch(value.strip())
        if match is None:
            raise ValueError(f"{_A_DURATION}, not {value!r}; {_UNITS}")
        return round(float(match[1]) * _UNIT[match[2]], 6)
    if not 0 <= value <= _LONGEST:
        raise ValueError("expected a duration of 0 seconds or more")
    return float(value)


_DURATION_SCHEMA = WithJsonSchema(
    {
        "anyOf": [
            {"type": "string", "pattern": _DURATION.pattern},
            {"type": "number", "minimum": 0},
        ]
    }
)

Duration = Annotated[float, BeforeValidator(parse_duration), _DURATION_SCHEMA]
"""Seconds."""


def _longer_than_nothing(value: float) -> float:
    if value <= 0:
        raise ValueError("must be longer than 0")
    return value


Span = Annotated[Duration, AfterValidator(_longer_than_nothing)]
"""Seconds, more than none."""


def parse_whole_seconds(value: Any) -> int:
    """Parse a duration of whole seconds; raise ValueError."""
    seconds = parse_duration(value)
    if seconds != int(seconds):
        raise ValueError(f"expected whole seconds such as 2s, not {value}")
    return int(seconds)


WholeSeconds = Annotated[int, BeforeValidator(parse_whole_seconds), _DURATION_SCHEMA]
"""A duration that the kernel counts in seconds."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address and a port; port 0 where the service is found by firewall mark."""

    address: Address
    port: int

    @classmethod
    def parse(cls, value: Any) -> "Endpoint":
        """Parse `192.0.2.10:80`, `[2001:db8::10]:80` or a bare address; raise ValueError."""
        if isinstance(value, Endpoint):
            return value
        if isinstance(value, list | tuple):
            raise ValueError("a list of addresses is not in this release yet; one service each")
        if not isinstance(value, str):
            raise ValueError(f"expected {_PLACE}")
        text = value.strip()
        if _PORT_RANGE.fullmatch(text):
            raise ValueError("a range of ports is not in this release yet; one service each")
        match = _ENDPOINT.fullmatch(text)
        if match is None:
            refuse_name(text, "192.0.2.10:80")
            return cls(_address(text), 0)
        port = int(match["port"])
        if not 1 <= port <= _MAX_PORT:
            every = "; every port is written without one" if not port else ""
            raise ValueError(f"port {port} is outside 1-65535{every}")
        return cls(_address(match["v6"] or match["v4"]), port)

    def __str__(self) -> str:
        """Render as people write it."""
        if not self.port:
            return str(self.address)
        host = f"[{self.address}]" if isinstance(self.address, IPv6Address) else str(self.address)
        return f"{host}:{self.port}"

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[Any], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Read from text, write as text."""
        return core_schema.no_info_plain_validator_function(
            cls.parse, serialization=core_schema.to_string_ser_schema()
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Show editors what is expected."""
        return {"type": "string", "examples": ["192.0.2.10:80", "[2001:db8::10]:80"]}


def _address(text: str) -> Address:
    try:
        address = ip_address(text)
    except ValueError:
        raise ValueError(f"expected {_PLACE}, not {text!r}") from None
    if "%" in text:
        raise ValueError("an address with a zone (%eth0) cannot stand in the kernel's table")
    return address


def parse_interface_address(value: Any) -> str:
    """Check `192.0.2.10/24` or `2001:db8::10/64` and give it back normalised; raise ValueError."""
    if not isinstance(value, str):
        raise ValueError("expected an address such as 192.0.2.10/24")
    try:
        return str(ip_interface(value.strip()))
    except ValueError:
        refuse_name(value.strip(), "192.0.2.10/24")
        raise ValueError(f"expected an address such as 192.0.2.10/24, not {value!r}") from None


InterfaceAddress = Annotated[
    str,
    BeforeValidator(parse_interface_address),
    WithJsonSchema({"type": "string", "examples": ["192.0.2.10/24", "2001:db8::10/64"]}),
]
"""A virtual address with its prefix length, as text."""

Interface = Annotated[str, Field(pattern=r"^[^\s/]{1,15}$", examples=["eth0"])]
"""A network interface's name (linux/if.h IFNAMSIZ)."""


def _absolute(value: str) -> str:
    if not value.startswith("/") or "\0" in value:
        raise ValueError("must be a whole path, one that begins with /")
    return value


FilePath = Annotated[str, AfterValidator(_absolute)]
"""A file of each node, by its whole path."""
