"""Field types that the kinds of checks share.

The one rule: what would break a protocol's line or pattern is refused here, with its place.
"""

import re
from ipaddress import IPv6Address, ip_address
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from libra_schemas.patterns import pattern_of

_LABEL = "[0-9A-Za-z_](?:[0-9A-Za-z_-]{0,61}[0-9A-Za-z_])?"
_AUTHORITY = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]]+))(?::([0-9]{1,5}))?")
_MAX_PORT = 65535
_DNS_NAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*")


def _rising(value: str) -> str:
    first, _, last = value.partition("-")
    if last and last < first:
        raise ValueError(f"{value} ends before it starts")
    return value


def _filled(value: str) -> str:
    if not value:
        raise ValueError("is empty; leave it out")
    return value


def _compiles(value: str) -> str:
    pattern_of(value)
    return value


def _one_line(value: str) -> str:
    if not value.isprintable() or not value.isascii():
        raise ValueError("holds printable ASCII only, on one line")
    return value


def _hex(value: object) -> str:
    if not isinstance(value, str):  # YAML reads 00 and 1e5 as numbers
        raise ValueError('bytes in hex stand in quotes, such as "0d 0a"')
    try:
        held = bytes.fromhex(value)
    except ValueError:
        raise ValueError('expected bytes in hex such as "0d 0a" or "0d0a"') from None
    if not held:
        raise ValueError("holds no byte")
    return held.hex()


def _absolute(value: str) -> str:
    if not _one_line(value).startswith("/") or any(c.isspace() for c in value):
        raise ValueError("must start with / and hold no white space")
    return value


def _one_word(value: str) -> str:
    if not value or " " in _one_line(value):
        raise ValueError("holds no blanks and is not empty")
    return value


def host_header(value: str) -> str:
    """Take what a `Host` header may say (RFC 9110 section 7.2), or raise ValueError."""
    if not _is_host(_one_word(value)):
        raise ValueError("must be a DNS name or an address, perhaps with a port: [::1]:8443")
    return value


def _is_host(value: str) -> bool:
    try:
        return bool(ip_address(value)) and "%" not in value
    except ValueError:
        match = _AUTHORITY.fullmatch(value)
    if match is None or not 0 < int(match[3] or 1) <= _MAX_PORT:
        return False
    if match[2] is not None:
        return _DNS_NAME.fullmatch(match[2].removesuffix(".")) is not None
    try:
        return bool(IPv6Address(match[1]))
    except ValueError:
        return False


def _whole_path(value: str) -> str:
    if not value.startswith("/") or "\0" in value:
        raise ValueError("must be a whole path, one that begins with /")
    return value


def _server_name(value: str) -> str:
    """Take a DNS name, in its ASCII form (RFC 5890 A-labels), or an address."""
    if _DNS_NAME.fullmatch(value):
        return value
    try:
        return str(ip_address(value))
    except ValueError:
        raise ValueError("must be a DNS name or an address, without a port") from None


def as_text(value: object) -> object:
    """Read `1.1` as text."""
    return str(value)


def as_texts(value: object) -> object:
    """Read `200` and `[200, 204]` as texts."""
    return [str(each) for each in value] if isinstance(value, list | tuple) else [str(value)]


StatusRange = Annotated[
    str,
    Field(pattern=r"^[1-5][0-9]{2}(-[1-5][0-9]{2})?$", examples=["200-299"]),
    AfterValidator(_rising),
]
Regex = Annotated[str, AfterValidator(_compiles)]
Said = Annotated[str, AfterValidator(_filled)]
"""Text that is not empty."""
Expected = Annotated[Regex, AfterValidator(_filled)]
"""A pattern that is not empty."""
Hex = Annotated[str, BeforeValidator(_hex, json_schema_input_type=str), Field(examples=["0d0a"])]
Line = Annotated[str, AfterValidator(_one_line)]
ServiceName = Annotated[str, Field(max_length=1024), AfterValidator(_one_line)]
Host = Annotated[str, AfterValidator(host_header)]
FilledLine = Annotated[Line, AfterValidator(_filled)]
UrlPath = Annotated[str, AfterValidator(_absolute)]
HeaderName = Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", examples=["Accept"])]
FilePath = Annotated[str, AfterValidator(_whole_path)]
ServerName = Annotated[str, AfterValidator(_server_name), Field(examples=["www.example.net"])]
Protocol = Annotated[str, Field(pattern=r"^[!-~]{1,255}$", examples=["http/1.1"])]
HexSha256 = Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{64}$")]
HexMd5 = Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{32}$")]
