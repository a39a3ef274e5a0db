"""The status document: the registers joined with the config in force, for people and scripts.

Rule: a verdict counts only while its target is the config's (`libra_schemas.target`); what is not
known says so and is never guessed.
"""

from typing import Any

from libra_console import revisions
from libra_console.registers import of_kind
from libra_console.waiting import SILENT, Troubles, silence
from libra_schemas.config import Config, ServiceConfig
from libra_schemas.events import (
    AdminState,
    BackendState,
    ConfigApplied,
    ConfigRejected,
    InstanceState,
    MasterHeard,
    PriorityState,
    ServiceState,
    Started,
    Stopped,
    SyncState,
)
from libra_schemas.intent.desired import Seen, desired, look
from libra_schemas.intent.fold import Entry, State, data
from libra_schemas.intent.prepared import Prepared, prepare
from libra_schemas.sentences.backend import reasons
from libra_schemas.sentences.instance import made_of

Json = dict[str, Any]

_NOBODY_ASKED: Troubles = {}


def status(
    node: str, registers: State, config: Config | None, troubles: Troubles = _NOBODY_ASKED
) -> Json:
    """Make the status of *node*; *config* is the parsed document in force."""
    return {
        "node": node,
        "admin": _admin(registers, "node", node),
        "sequence": max((held.sequence for held in registers.values()), default=0),
        "config": _config(registers),
        "processes": _processes(registers, troubles),
        "instances": _instances(registers, config, node, troubles),
        "services": _services(registers, prepare(config, node), troubles) if config else {},
        "sync": _sync(registers),
    }


def _config(registers: State) -> Json:
    held = registers.get(revisions.REGISTER)
    applied = data(registers, ConfigApplied, *revisions.REGISTER)
    return {
        "revision": str(revisions.in_force(registers)) if applied else None,
        "number": applied.number if applied else 0,
        "author": applied.author if applied else None,
        "applied": _when(held),
        "rejected": _rejected(registers),
    }


def _rejected(registers: State) -> Json | None:
    """Show the newest rejection while nothing newer is in force."""
    rejected = data(registers, ConfigRejected, *revisions.REJECTION)
    held, force = registers.get(revisions.REJECTION), registers.get(revisions.REGISTER)
    if rejected is None or held is None or (force and force.sequence > held.sequence):
        return None
    return {
        "number": rejected.number,
        "author": rejected.author,
        "time": _when(held),
        "source": held.event.source,
        "problems": [problem.model_dump(mode="json") for problem in rejected.problems],
    }


def _processes(registers: State, troubles: Troubles) -> Json:
    return {
        held.event.data.service: {
            **_process(held, held.event.data, registers.get(("stopped", *key))),
            "trouble": troubles.get(held.event.data.service),
        }
        for key, held in of_kind(registers, "started")
        if isinstance(held.event.data, Started)
    }


def _process(held: Entry, started: Started, ended: Entry | None) -> Json:
    """Tell a process's epoch, and whether it said that it stopped."""
    running = ended is None or ended.sequence < held.sequence
    why = ended.event.data.why if ended and isinstance(ended.event.data, Stopped) else ""
    return {
        "epoch": held.event.epoch,
        "state": "started" if running else "stopped",
        "since": _when(held if running else ended),
        "pid": started.pid,
        "version": started.version,
        "why": "" if running else why,
    }


def _instances(registers: State, config: Config | None, node: str, troubles: Troubles) -> Json:
    return {
        router: _instance(registers, name, router, troubles)
        for name, instance in (config.instances if config else {}).items()
        if instance.priority_on(node) is not None
        for router in instance.routers(name)
    }


def _instance(registers: State, name: str, router: str, troubles: Troubles) -> Json:
    """Show a virtual router of the instance called *name*, of which it has two at most."""
    held = registers.get(("instance", router))
    state = data(registers, InstanceState, "instance", router)
    if state is None or troubles.get("vrrp") == SILENT:
        never = silence(registers, troubles, "vrrp", "vrrp has not taken it up yet")
        why = f"it was {state.state}; vrrp does not answer" if state else never
        return {"state": "unknown", "why": why, "admin": _admin(registers, "instance", name)}
    return {
        "family": state.family,
        "state": state.state,
        "since": _when(held),
        "why": state.why,
        "detail": state.detail,
        "took_ms": state.took_ms,
        "takeover": _takeover(state),
        **_priority(registers, name, state),
        "addresses": list(state.addresses),
        "master": _master(registers, router, state),
        "admin": _admin(registers, "instance", name),
    }


def _master(registers: State, router: str, state: InstanceState) -> str | None:
    """Name whom a backup follows, as it was said last; None where none is known."""
    said, heard = registers.get(("instance", router)), registers.get(("follows", router))
    newest = heard.event.data if said and heard and heard.sequence > said.sequence else state
    if isinstance(newest, InstanceState | MasterHeard) and newest.master:
        return str(newest.master)
    return None


def _takeover(state: InstanceState) -> Json | None:
    """Show when this node took over last, how fast and why; None where that is not known."""
    if (last := state.takeover) is None:
        return None
    return {"time": last.time.isoformat(), "took_ms": last.took_ms, "why": last.why}


def _priority(registers: State, name: str, state: InstanceState) -> Json:
    """Give the priority as it was said last: by the state, or by a change of it since."""
    said, moved = registers.get(("instance", name)), registers.get(("priority", name))
    since = data(registers, PriorityState, "priority", name)
    if since is None or (said and moved and moved.sequence < said.sequence):
        return {"priority": state.priority, "moved": ""}
    return {"priority": since.priority, "moved": made_of(since)}


def _services(registers: State, prepared: Prepared, troubles: Troubles) -> Json:
    unjudged = silence(registers, troubles, "ipvs-writer", "ipvs-writer has not judged it yet")
    unchecked = silence(registers, troubles, "health", "not checked yet")
    return {
        name: _service(registers, prepared, name, (unjudged, unchecked)) for name in prepared.pools
    }


def _service(registers: State, prepared: Prepared, name: str, unknown: tuple[str, str]) -> Json:
    """Show a service: whether it is up as the writer said it, its weight as it is now."""
    unjudged, unchecked = unknown
    service, seen = prepared.pools[name].config, look(registers, prepared, name)
    held = registers.get(("service", name))
    state = data(registers, ServiceState, "service", name)
    address = f"fwmark {service.fwmark}" if service.fwmark else str(service.address)
    return {
        "address": address,
        "protocol": service.protocol,
        "scheduler": service.scheduler,
        "state": "unknown" if state is None else "up" if state.up else "down",
        "since": _when(held),
        "why": state.why if state else unjudged,
        "live_weight": _live_weight(registers, prepared, name, state) if state else None,
        "quorum": service.quorum,
        "sorry": state.sorry if state else False,
        "admin": _admin(registers, "service", name),
        "backends": {
            each: _backend(registers, ("backend", name, each), service, seen[each], unchecked)
            for each in service.backends
        },
    }


def _live_weight(registers: State, prepared: Prepared, name: str, state: ServiceState) -> int:
    """Count what is live now: `service.*` is said only where a quorum is won or lost."""
    return desired(registers, prepared, name, was_up=state.up).verdict.live_weight


def _backend(
    registers: State,
    entity: tuple[str, str, str],
    service: ServiceConfig,
    seen: Seen,
    unchecked: str,
) -> Json:
    held = registers.get(entity) if seen.state else None
    backend = service.backends[entity[2]]
    silent = unchecked if service.checks_of(backend) else "it has no check"
    return {
        "address": str(backend.address),
        "verdict": _verdict(seen.state, service),
        "since": _when(held),
        "reason": reasons(seen.state) if seen.state else silent,
        "weight": seen.weight,
        "ramp": seen.state.ramp if seen.state else None,
        "mode": seen.will.mode,
        "admin": _admin(registers, *entity),
    }


def _verdict(verdict: BackendState | None, service: ServiceConfig) -> str:
    if verdict is None:
        return "assumed up" if service.assume_up else "unknown"
    if verdict.held:
        return "held"
    return "up" if verdict.up else "down"


def _admin(registers: State, *entity: str) -> Json | None:
    """Show what an operator set; None where nobody did or all was taken back."""
    state = data(registers, AdminState, "admin", *entity)
    if state is None or (state.mode == "ready" and state.weight is None and not state.failover):
        return None
    return state.model_dump(mode="json", exclude={"causes", "entity"})


def _sync(registers: State) -> Json:
    return {
        ".".join(key): held.event.data.model_dump(mode="json", exclude={"causes"})
        for key, held in of_kind(registers, "sync")
        if isinstance(held.event.data, SyncState)
    }


def _when(held: Entry | None) -> str | None:
    """Give when it was decided, ISO 8601."""
    return held.event.time.isoformat() if held else None
