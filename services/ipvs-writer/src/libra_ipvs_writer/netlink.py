"""Netlink messages and attributes <-> bytes (linux/netlink.h, linux/genetlink.h).

Rule: host byte order throughout, as the kernel speaks to its own machine; whatever cannot be
read raises MalformedMessage, and what is read is never trusted to be complete.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct, error

NLM_F_REQUEST = 0x01
NLM_F_ACK = 0x04
NLM_F_DUMP = 0x300
NLM_F_DUMP_INTR = 0x10

NLMSG_ERROR = 2
NLMSG_DONE = 3
GENL_ID_CTRL = 16
CTRL_CMD_GETFAMILY = 3
CTRL_ATTR_FAMILY_ID = 1
CTRL_ATTR_FAMILY_NAME = 2

NLA_F_NESTED = 0x8000
NLA_TYPE_MASK = 0x3FFF

HEADER = Struct("=IHHII")
GENERIC = Struct("=BBH")
ATTRIBUTE = Struct("=HH")
ERRNO = Struct("=i")
U16, U32 = Struct("=H"), Struct("=I")


class MalformedMessage(ValueError):
    """Bytes that are no netlink message or lack an attribute that must be there."""


@dataclass(frozen=True, slots=True)
class Message:
    """One netlink message: *type* is the family or a control type, *payload* follows the header."""

    type: int
    flags: int
    sequence: int
    payload: bytes

    @property
    def command(self) -> int:
        """The generic netlink command."""
        return self.payload[0] if self.payload else 0

    @property
    def errno(self) -> int:
        """The positive errno of an NLMSG_ERROR or NLMSG_DONE, 0 = acknowledged."""
        if len(self.payload) < ERRNO.size:
            return 0
        return -int(ERRNO.unpack_from(self.payload)[0])


def attribute(kind: int, value: bytes) -> bytes:
    """Encode one attribute, padded to four bytes."""
    size = ATTRIBUTE.size + len(value)
    return ATTRIBUTE.pack(size, kind) + value + bytes(-size % 4)


def nested(kind: int, *attributes: bytes) -> bytes:
    """Encode attributes inside one (NLA_F_NESTED set, as libnl does)."""
    return attribute(kind | NLA_F_NESTED, b"".join(attributes))


def attributes(octets: bytes) -> dict[int, bytes]:
    """Decode a run of attributes by type (flags removed, the last of a type wins)."""
    return dict(each_attribute(octets))


def each_attribute(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """Decode a run of attributes one by one: type (flags removed) and value."""
    at, end = 0, len(octets)
    while at + ATTRIBUTE.size <= end:
        size, kind = ATTRIBUTE.unpack_from(octets, at)
        if size < ATTRIBUTE.size or at + size > end:
            raise MalformedMessage(f"an attribute of {size} bytes does not fit at byte {at}")
        yield kind & NLA_TYPE_MASK, octets[at + ATTRIBUTE.size : at + size]
        at += (size + 3) & ~3


def sized(found: dict[int, bytes], kind: int, size: int = 0) -> bytes:
    """Take the first *size* bytes (0 = all) of an attribute that must be there."""
    octets = found.get(kind)
    if octets is None or (size and len(octets) < size):
        raise MalformedMessage(f"attribute {kind} is missing or shorter than {size} bytes")
    return octets[:size] if size else octets


def u16(found: dict[int, bytes], kind: int) -> int:
    """Take a number of two bytes."""
    return int(U16.unpack(sized(found, kind, U16.size))[0])


def u32(found: dict[int, bytes], kind: int) -> int:
    """Take a number of four bytes."""
    return int(U32.unpack(sized(found, kind, U32.size))[0])


def name(found: dict[int, bytes], kind: int) -> str:
    """Take a NUL-terminated name; foreign bytes are escaped."""
    return sized(found, kind).split(b"\0", 1)[0].decode("ascii", "backslashreplace")


def message(family: int, flags: int, sequence: int, payload: bytes) -> bytes:
    """Encode one message; the kernel fills in the port."""
    return HEADER.pack(HEADER.size + len(payload), family, flags, sequence, 0) + payload


def generic(command: int, version: int, *attributes: bytes) -> bytes:
    """Encode a generic netlink payload."""
    return GENERIC.pack(command, version, 0) + b"".join(attributes)


def messages(octets: bytes) -> Iterator[Message]:
    """Decode the messages of one datagram; raise MalformedMessage where a length is wrong."""
    at, end = 0, len(octets)
    while at < end:
        try:
            size, kind, flags, sequence, _ = HEADER.unpack_from(octets, at)
        except error as short:
            raise MalformedMessage(f"{end - at} bytes are no netlink header") from short
        if size < HEADER.size or at + size > end:
            raise MalformedMessage(f"a message of {size} bytes does not fit at byte {at}")
        yield Message(kind, flags, sequence, octets[at + HEADER.size : at + size])
        at += (size + 3) & ~3


def inside(payload: bytes, kind: int) -> dict[int, bytes]:
    """Decode the attributes inside the top-level attribute *kind* of a generic payload."""
    return attributes(sized(attributes(payload[GENERIC.size :]), kind))


def family_request(name: str) -> bytes:
    """Ask for a generic netlink family by name."""
    return generic(CTRL_CMD_GETFAMILY, 1, attribute(CTRL_ATTR_FAMILY_NAME, name.encode() + b"\0"))


def family_of(payload: bytes) -> int:
    """Read the family's id out of the answer."""
    return u16(attributes(payload[GENERIC.size :]), CTRL_ATTR_FAMILY_ID)
