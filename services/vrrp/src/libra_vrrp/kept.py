"""The list of routers <-> JSON lines: what the reporter keeps for the machine.

One rule: what cannot be read raises `MalformedOrder`, and the machine goes on as it was. A list
that an older release kept is read; what it does not say is as it was then.
"""

import json
from ipaddress import ip_address
from typing import Any, assert_never

from libra_vrrp.announce import Garp
from libra_vrrp.codec import Checksum
from libra_vrrp.kept_routing import route, route_fields, rule, rule_fields
from libra_vrrp.lease import Terms
from libra_vrrp.orders import Instance, MalformedOrder, Place, Seal, TrackedLink
from libra_vrrp.router import After, Always, Never, Preempt, WhenSynced
from libra_vrrp.settle import Delays
from libra_vrrp.tether.ends import Ends
from libra_vrrp.vmac import Vmac


def dump_instances(instances: tuple[Instance, ...]) -> bytes:
    """Return the list of routers as the file holds it: one JSON object per line."""
    return b"".join(json.dumps(_fields(one)).encode() + b"\n" for one in instances)


def load_instances(text: bytes) -> tuple[Instance, ...]:
    """Read the list of routers; raise `MalformedOrder`."""
    try:
        found = tuple(_instance(json.loads(line)) for line in text.splitlines() if line.strip())
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise MalformedOrder(f"list of routers: {wrong!r}") from wrong
    identities = [(one.interface, one.family, one.vrid) for one in found]
    if len(set(identities)) < len(found) or len({one.name for one in found}) < len(found):
        raise MalformedOrder("list of routers: a name, or a vrid on one interface, appears twice")
    return found


def _fields(one: Instance) -> dict[str, Any]:
    return {
        "name": one.name,
        "interface": one.interface,
        "vrid": one.vrid,
        "priority": one.priority,
        "places": _listed(one.places),
        "excluded": _listed(one.excluded),
        "routes": [*map(route_fields, one.routes)],
        "rules": [*map(rule_fields, one.rules)],
        "interval": one.interval,
        "preempt": _preempt_fields(one.preempt),
        "start_delay": one.start_delay,
        "lease": [one.terms.duration, one.terms.margin],
        "garp": [one.garp.repeat, one.garp.delay, one.garp.refresh],
        "checksum": one.checksum.value,
        "tracked": [_link_fields(link) for link in one.tracked],
        "group": one.group,
        "version": one.version,
        "authentication": None if one.authentication is None else one.authentication.hex(),
        "peers": None if one.peers is None else [str(peer) for peer in one.peers],
        "source": None if one.source is None else str(one.source),
        "seal": None if one.seal is None else [one.seal.key_file, one.seal.is_required],
        "vmac": None if one.vmac is None else [one.vmac.name, one.vmac.xmit_base],
        "tether": None if one.tether is None else _tether_fields(one.tether),
    }


def _instance(fields: dict[str, Any]) -> Instance:
    duration, margin = fields["lease"]
    repeat, delay, refresh = fields["garp"]
    return Instance(
        name=str(fields["name"]),
        interface=str(fields["interface"]),
        vrid=int(fields["vrid"]),
        priority=int(fields["priority"]),
        places=_of_one_family(_places(fields["places"])),
        excluded=_places(fields.get("excluded", [])),
        routes=tuple(map(route, fields.get("routes", []))),
        rules=tuple(map(rule, fields.get("rules", []))),
        interval=float(fields["interval"]),
        preempt=_preempt(*fields["preempt"]),
        start_delay=float(fields["start_delay"]),
        terms=Terms(int(duration), float(margin)),
        garp=Garp(int(repeat), float(delay), float(refresh)),
        checksum=Checksum(fields["checksum"]),
        tracked=tuple(map(_link, fields["tracked"])),
        group=str(fields.get("group", "")),
        version=int(fields.get("version", 3)),
        authentication=None
        if (secret := fields.get("authentication")) is None
        else bytes.fromhex(secret),
        peers=None if (peers := fields.get("peers")) is None else tuple(map(ip_address, peers)),
        source=None if (source := fields.get("source")) is None else ip_address(source),
        seal=_seal(*(fields.get("seal") or (None, True))),
        tether=None if fields.get("tether") is None else _tether(*fields["tether"]),
        vmac=None if fields.get("vmac") is None else _vmac(*fields["vmac"]),
    )


def _listed(places: tuple[Place, ...]) -> list[list[Any]]:
    return [
        [one.interface, str(one.address), *([] if one.prefix is None else [one.prefix])]
        for one in places
    ]


def _seal(file: str | None, is_required: object) -> Seal | None:
    return None if file is None else Seal(str(file), bool(is_required))


def _tether_fields(ends: Ends) -> list[Any]:
    return [str(ends.own), ends.port, [[name, str(address)] for name, address in ends.peers]]


def _tether(own: str, port: int, peers: list[list[str]]) -> Ends:
    others = tuple((str(name), ip_address(address)) for name, address in peers)
    return Ends(ip_address(own), int(port), others)


def _vmac(name: str, xmit_base: object) -> Vmac:
    return Vmac(str(name), bool(xmit_base))


def _places(listed: list[list[Any]]) -> tuple[Place, ...]:
    return tuple(
        Place(str(where), ip_address(what), *map(int, prefix)) for where, what, *prefix in listed
    )


def _of_one_family(places: tuple[Place, ...]) -> tuple[Place, ...]:
    """Return the advertised addresses of a router: at least one, all of one family."""
    if len({place.address.version for place in places}) != 1:
        raise MalformedOrder("a router has addresses of one family")
    return places


def _link_fields(link: TrackedLink) -> list[Any]:
    return [link.name, link.weight, link.delays.down_for, link.delays.up_for]


def _link(fields: str | list[Any]) -> TrackedLink:
    """Read a tracked interface; an older release kept its name alone."""
    if isinstance(fields, str):
        return TrackedLink(fields)
    name, weight, down_for, up_for = fields
    delays = Delays(float(down_for), float(up_for))
    return TrackedLink(str(name), None if weight is None else int(weight), delays)


def _preempt_fields(preempt: Preempt) -> list[Any]:
    match preempt:
        case Never():
            return ["never", 0]
        case Always():
            return ["always", 0]
        case After(delay=seconds):
            return ["after", seconds]
        case WhenSynced(deadline=seconds, unclean=least):
            return ["when-synced", seconds, least]
        case _:
            assert_never(preempt)


def _preempt(word: str, seconds: float, *least: float) -> Preempt:
    match word:
        case "never":
            return Never()
        case "always":
            return Always()
        case "after":
            return After(float(seconds))
        case "when-synced":
            return WhenSynced(float(seconds), *map(float, least))
        case _:
            raise MalformedOrder(f"unknown preemption {word!r}")
