"""The status document: the registers joined with the config in force, for people and scripts.

Rule: a verdict counts only while its target is the config's (`libra_schemas.target`); what is not
known says so and is never guessed.
"""

from typing import Any

from libra_console import revisions
from libra_console.registers import Register, Registers, data, of_kind
from libra_schemas.admin import Will, join, keys_of
from libra_schemas.config import BackendConfig, Config, ServiceConfig
from libra_schemas.events import (
    AdminState,
    BackendState,
    ConfigApplied,
    ConfigRejected,
    InstanceState,
    ServiceState,
    Started,
    Stopped,
    SyncState,
)
from libra_schemas.target import target_of

Json = dict[str, Any]


def status(node: str, registers: Registers, config: Config | None) -> Json:
    """Make the status of *node*; *config* is the parsed document in force."""
    return {
        "node": node,
        "sequence": max((held.sequence for held in registers.values()), default=0),
        "config": _config(registers),
        "processes": _processes(registers),
        "instances": _instances(registers, config, node),
        "services": {
            name: _service(registers, node, name, service)
            for name, service in (config.services if config else {}).items()
        },
        "sync": _sync(registers),
    }


def _config(registers: Registers) -> Json:
    held = registers.get(revisions.REGISTER)
    applied = data(registers, ConfigApplied, *revisions.REGISTER)
    return {
        "revision": str(revisions.in_force(registers)) if applied else None,
        "number": applied.number if applied else 0,
        "author": applied.author if applied else None,
        "applied": _when(held),
        "rejected": _rejected(registers),
    }


def _rejected(registers: Registers) -> Json | None:
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


def _processes(registers: Registers) -> Json:
    return {
        held.event.data.service: _process(held, held.event.data, registers.get(("stopped", *key)))
        for key, held in of_kind(registers, "started")
        if isinstance(held.event.data, Started)
    }


def _process(held: Register, started: Started, ended: Register | None) -> Json:
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


def _instances(registers: Registers, config: Config | None, node: str) -> Json:
    return {
        name: _instance(registers, name)
        for name, instance in (config.instances if config else {}).items()
        if instance.priority_on(node) is not None
    }


def _instance(registers: Registers, name: str) -> Json:
    held = registers.get(("instance", name))
    state = data(registers, InstanceState, "instance", name)
    if state is None:
        return {"state": "unknown", "admin": _admin(registers, "instance", name)}
    return {
        "state": state.state,
        "since": _when(held),
        "why": state.why,
        "detail": state.detail,
        "priority": state.priority,
        "addresses": list(state.addresses),
        "master": str(state.master) if state.master else None,
        "admin": _admin(registers, "instance", name),
    }


def _service(registers: Registers, node: str, name: str, service: ServiceConfig) -> Json:
    held = registers.get(("service", name))
    state = data(registers, ServiceState, "service", name)
    address = f"fwmark {service.fwmark}" if service.fwmark else str(service.address)
    return {
        "address": address,
        "protocol": service.protocol,
        "scheduler": service.scheduler,
        "state": "unknown" if state is None else "up" if state.up else "down",
        "since": _when(held),
        "why": state.why if state else "",
        "live_weight": state.live_weight if state else None,
        "quorum": service.quorum,
        "sorry": state.sorry if state else False,
        "admin": _admin(registers, "service", name),
        "backends": {
            each: _backend(registers, keys_of(node, name, each), service, backend)
            for each, backend in service.backends.items()
        },
    }


def _backend(
    registers: Registers,
    entities: tuple[tuple[str, ...], ...],
    service: ServiceConfig,
    backend: BackendConfig,
) -> Json:
    (_, node), _, entity = entities
    held = registers.get(entity)
    verdict = data(registers, BackendState, *entity)
    if verdict is not None and verdict.target != target_of(service, backend):
        verdict = held = None
    will = join(node, (data(registers, AdminState, "admin", *each) for each in entities))
    return {
        "address": str(backend.address),
        "verdict": _verdict(verdict, service),
        "since": _when(held),
        "reason": _reason(verdict) if verdict else "",
        "weight": _weight(verdict, will, backend),
        "mode": will.mode,
        "admin": _admin(registers, *entity),
    }


def _verdict(verdict: BackendState | None, service: ServiceConfig) -> str:
    if verdict is None:
        return "assumed up" if service.assume_up else "unknown"
    if verdict.held:
        return "held"
    return "up" if verdict.up else "down"


def _reason(verdict: BackendState) -> str:
    """Say why in one line: what each probe saw."""
    return "; ".join(
        f"{each.probe}: {each.reason}" + (f" ({each.detail})" if each.detail else "")
        for each in verdict.evidence
    )


def _weight(verdict: BackendState | None, will: Will, backend: BackendConfig) -> int:
    """Give the weight wanted: an operator's, else a dynamic check's, else the config's."""
    if will.mode != "ready":
        return 0
    if will.weight is not None:
        return will.weight
    return verdict.weight if verdict and verdict.weight is not None else backend.weight


def _admin(registers: Registers, *entity: str) -> Json | None:
    """Show what an operator set; None where nobody did or all was taken back."""
    state = data(registers, AdminState, "admin", *entity)
    if state is None or (state.mode == "ready" and state.weight is None and not state.failover):
        return None
    return state.model_dump(mode="json", exclude={"causes", "entity"})


def _sync(registers: Registers) -> Json:
    return {
        ".".join(key): held.event.data.model_dump(mode="json", exclude={"causes"})
        for key, held in of_kind(registers, "sync")
        if isinstance(held.event.data, SyncState)
    }


def _when(held: Register | None) -> str | None:
    """Give when it was decided, ISO 8601."""
    return held.event.time.isoformat() if held else None
