"""What the machine tells its guard <-> JSON lines, in pieces.

One rule: any line either is read or raises `MalformedWill`.
"""

import json
from ipaddress import ip_address
from typing import Any, Final, assert_never

from libra_vrrp.guarding import (
    LastWord,
    Message,
    Revoked,
    Settled,
    Superseded,
    Tether,
    Tethered,
    Untethered,
    Will,
)
from libra_vrrp.routing import Entry, Kind
from libra_vrrp.rtnetlink import Target

PIECE: Final = 1 << 15
"""Octets of a message that are sent at once, at the most."""
MORE: Final = b"\0"
"""No JSON begins with it."""


class MalformedWill(ValueError):
    """The machine says something that makes no sense to this guard."""


def dumps(message: Message) -> bytes:
    """Return a message as one line of JSON."""
    match message:
        case Will():
            fields: dict[str, Any] = {"will": message.instance, "interval": message.interval}
            fields["targets"] = [_held(one) for one in message.targets]
            fields["words"] = [[w.index, w.destination, w.packet.hex()] for w in message.words]
            fields["entries"] = [[e.kind, e.body.hex(), e.said] for e in message.entries]
            fields |= {} if message.vmac is None else {"vmac": message.vmac}
        case Revoked():
            fields = {"revoked": message.instance}
        case Settled():
            fields = {"settled": True}
        case Tethered():
            fields = {"tethered": message.key}
        case Untethered():
            fields = {"untethered": message.key}
        case Superseded():
            fields = {"superseded": message.node}
        case _:
            assert_never(message)
    return json.dumps(fields).encode()


def pieces(message: Message) -> list[bytes]:
    """Return a message as pieces that any socket takes; all but the last begin with `MORE`."""
    line = dumps(message)
    cut = [line[at : at + PIECE] for at in range(0, len(line), PIECE)]
    return [*(MORE + one for one in cut[:-1]), cut[-1]]


def loads(line: bytes) -> Message:
    """Read one message; raise `MalformedWill`."""
    try:
        fields = json.loads(line)
        if "will" in fields:
            return _will(fields)
        if "settled" in fields:
            return Settled()
        return _named(fields)
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise MalformedWill(f"{wrong!r} in {line[:200]!r}") from wrong


_NAMED: Final[dict[str, type[Revoked | Tether]]] = {
    "revoked": Revoked,
    "tethered": Tethered,
    "untethered": Untethered,
    "superseded": Superseded,
}


def _named(fields: dict[str, Any]) -> Revoked | Tether:
    ((what, name),) = fields.items()
    return _NAMED[what](str(name))


def _will(fields: dict[str, Any]) -> Will:
    beside = fields.get("entries", ())
    return Will(
        str(fields["will"]),
        float(fields["interval"]),
        tuple(
            Target(int(index), ip_address(address), *map(int, prefix))
            for index, address, *prefix in fields["targets"]
        ),
        tuple(LastWord(int(i), str(to), bytes.fromhex(raw)) for i, to, raw in fields["words"]),
        tuple(Entry(Kind(k), bytes.fromhex(raw), str(said)) for k, raw, said in beside),
        None if (vmac := fields.get("vmac")) is None else int(vmac),
    )


def _held(target: Target) -> list[Any]:
    return [target.index, str(target.address), *([] if target.prefix is None else [target.prefix])]
