"""Which sync daemons the kernel should run on this node (design §7).

Rule: `both` runs master and backup everywhere, whoever owns the addresses; `follow` runs master
where any instance is master, else backup. One director alone has nobody to sync with.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

from libra_ipvs_writer.daemons import Daemon, Role
from libra_schemas.config import Config
from libra_schemas.events import InstanceState, SyncState
from libra_schemas.intent.fold import State, data

Part = Literal["master", "backup", "both", "off"]
ROLES: dict[Part, tuple[Role, ...]] = {
    "master": ("master",),
    "backup": ("backup",),
    "both": ("master", "backup"),
    "off": (),
}


def wanted(config: Config, node: str, state: State) -> tuple[Daemon, ...]:
    """List the daemons that should run on *node*."""
    interface = _interface(config, node)
    if not (config.sync.enabled and interface and len(config.nodes) > 1):
        return ()
    return tuple(_daemon(config, interface, role) for role in ROLES[_part(config, state)])


def _part(config: Config, state: State) -> Part:
    if config.sync.role == "both":
        return "both"
    found = (data(state, InstanceState, "instance", name) for name in config.instances)
    states = {each.state for each in found if each}
    return "master" if "master" in states else "backup"


def _interface(config: Config, node: str) -> str | None:
    named = config.sync.interface
    if named is not None:
        return named.get(node) if isinstance(named, Mapping) else named
    own = (instance.interface_on(node) for instance in config.instances.values())
    return next((interface for interface in own if interface), None)


def _daemon(config: Config, interface: str, role: Role) -> Daemon:
    sync = config.sync
    return Daemon(role, interface, sync.syncid, sync.maxlen, str(sync.group), sync.port, sync.ttl)


def same(wanted: Daemon, running: Daemon) -> bool:
    """Tell whether a running daemon is as wanted; the kernel fills in what was left to it."""
    return wanted == running or (
        not wanted.maxlen
        and wanted
        == Daemon(
            running.role,
            running.interface,
            running.syncid,
            0,
            running.group,
            running.port,
            running.ttl,
        )
    )


def described(daemons: Iterable[Daemon]) -> SyncState:
    """Say which role the kernel's daemons have taken."""
    running = {daemon.role: daemon for daemon in daemons}
    part: Part = next(part for part, roles in ROLES.items() if set(roles) == set(running))
    if part == "off":
        return SyncState(role="off")
    one = next(iter(running.values()))
    return SyncState(
        role=part,
        interface=one.interface,
        syncid=one.syncid,
        group=one.group,
        port=one.port,
        ttl=one.ttl,
        maxlen=one.maxlen,
    )


FLOWS = {
    "expire_nodest_conn": "1",
    "expire_quiescent_template": "1",
    "conn_reuse_mode": "1",
}
"""Without these UDP clients keep being sent to a deleted backend, persistent ones to a drained."""


def sysctls(config: Config) -> dict[str, str]:
    """List the sysctls that must hold: those of flows and of sync, then what the config says."""
    sync = config.sync
    needed = FLOWS | {
        "sync_threshold": f"{sync.threshold[0]} {sync.threshold[1]}",
        "sync_refresh_period": f"{sync.refresh_period:.0f}",
        "sloppy_tcp": "1",
    }
    asked = {name: str(value) for name, value in config.ipvs.sysctls.items()}
    return {f"net.ipv4.vs.{name}": value for name, value in {**needed, **asked}.items()}


def forwarding(config: Config) -> dict[str, str]:
    """List the sysctls that forwarding by NAT needs; they are verified, never set."""
    nat = [
        service
        for service in config.services.values()
        if any(service.forward_of(each) == "nat" for each in service.backends.values())
    ]
    needed: dict[str, str] = {}
    for service in nat:
        six = service.address.address.version == 6 if service.address else service.family == "ipv6"  # noqa: PLR2004 - IPv6
        needed["net.ipv6.conf.all.forwarding" if six else "net.ipv4.ip_forward"] = "1"
    return needed
