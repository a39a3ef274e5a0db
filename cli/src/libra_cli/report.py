"""`libra status` for people: the status document as text."""

from datetime import UTC, datetime
from typing import Any

from libra_cli.output import clock, coloured, columns
from libra_schemas.sentences.instance import reason

Json = dict[str, Any]

_GOOD = {"up", "master", "started", "assumed up", "both"}
_BAD = {"down", "fault", "stopped"}


def report(status: Json, now: datetime | None = None) -> str:
    """Render the whole document; *now* (aware) is what ages are counted from."""
    now = now or datetime.now(UTC)
    parts = [_head(status, now), *_rejection(status["config"], now)]
    parts += _section("instances", [_instance(n, i, now) for n, i in status["instances"].items()])
    for name, service in status["services"].items():
        parts.append(_service(name, service, now))
    parts += _section("sync", [_sync(key, each) for key, each in status["sync"].items()])
    parts += _section("processes", [_process(n, p, now) for n, p in status["processes"].items()])
    return "\n".join(parts)


def _head(status: Json, now: datetime) -> str:
    config, journal = status["config"], status["journal"]
    revision = (
        f"revision {config['number']} by {config['author']}, {_age(config['applied'], now)}"
        if config["revision"]
        else "no config in force; `libra apply FILE` applies one"
    )
    log = f"log at {status['sequence']}"
    if journal["trouble"]:
        log = coloured(f"log: {journal['trouble']}", "red")
    parts = (coloured(status["node"], "bold"), _admin(status["admin"]))
    return f"{' '.join(part for part in parts if part)}: {revision}; {log}"


def _rejection(config: Json, now: datetime) -> list[str]:
    rejected = config["rejected"]
    if rejected is None:
        return []
    lines = [_problem(each) for each in rejected["problems"]]
    which = f"revision {rejected['number']}" if rejected["number"] else "a config"
    head = f"{which} by {rejected['author']} was rejected {_age(rejected['time'], now)}:"
    return [coloured(head, "red"), *lines]


def _problem(problem: Json) -> str:
    place = f"{problem['file']}:{problem['line']}:{problem['column']}: " if problem["line"] else ""
    subject = f"{problem['path']}: " if problem["path"] else ""
    return f"  {place}{subject}{problem['message']}"


def _section(title: str, rows: list[tuple[str, ...]]) -> list[str]:
    return [f"\n{title}", columns(rows, "  ")] if rows else []


def _instance(name: str, instance: Json, now: datetime) -> tuple[str, ...]:
    if instance["state"] == "unknown":
        return (name, _state("unknown"), instance["why"])
    where = f"master is {instance['master']}" if instance["master"] else ""
    addresses = " ".join(instance["addresses"])
    return (
        name,
        _state(instance["state"]),
        f"{_age(instance['since'], now)} ({reason(instance['why'], instance['detail'])})",
        f"priority {instance['priority']}" + (f": {moved}" if (moved := instance["moved"]) else ""),
        where if instance["state"] == "backup" else addresses,
        _takeover(instance, now),
        _admin(instance["admin"]),
    )


def _takeover(instance: Json, now: datetime) -> str:
    """Say how fast it took over last, and when, unless its state is of that moment."""
    takeover = instance["takeover"]
    if takeover is None:
        return ""
    took = f"{takeover['took_ms']:.1f} ms"
    if instance["state"] == "master" and takeover["time"] == instance["since"]:
        return f"took over in {took}"
    return f"last takeover {_age(takeover['time'], now)} in {took}"


def _service(name: str, service: Json, now: datetime) -> str:
    live = service["live_weight"]
    weight = f"weight {live} of quorum {service['quorum']}" if live is not None else ""
    sorry = "the sorry server answers" if service["sorry"] else ""
    facts = [
        f"{service['protocol']} {service['address']}", service["scheduler"],
        _state(service["state"]), weight, sorry,
        service["why"] if service["state"] != "up" else "", _admin(service["admin"]),
    ]  # fmt: skip
    rows = [_backend(each, backend, now) for each, backend in service["backends"].items()]
    return f"\n{name}  {'  '.join(fact for fact in facts if fact)}\n{columns(rows, '  ')}"


def _backend(name: str, backend: Json, now: datetime) -> tuple[str, ...]:
    since = _age(backend["since"], now) if backend["since"] else ""
    shown = ("ready", backend["admin"]["mode"] if backend["admin"] else "")
    mode = "" if backend["mode"] in shown else backend["mode"]
    return (
        name,
        backend["address"],
        _state(backend["verdict"]),
        f"weight {backend['weight']}{_slowly(backend)}",
        since,
        " ".join(part for part in (mode, _admin(backend["admin"]), backend["reason"]) if part),
    )


def _slowly(backend: Json) -> str:
    """Say how far a slow start is; documents of older consoles say nothing of it."""
    return f" (slow start, {backend['ramp']} %)" if backend.get("ramp") else ""


def _sync(key: str, sync: Json) -> tuple[str, ...]:
    return (key, _state(sync["role"]), sync["interface"], f"syncid {sync['syncid']}")


def _process(name: str, process: Json, now: datetime) -> tuple[str, ...]:
    return (
        name,
        _state("not ready" if process["trouble"] and not process["why"] else process["state"]),
        _age(process["since"], now),
        f"epoch {process['epoch']}",
        f"process {process['pid']}",
        process["why"] or process["trouble"] or "",
    )


def _admin(admin: Json | None) -> str:
    if admin is None:
        return ""
    weight = f" weight {admin['weight']}" if admin["weight"] is not None else ""
    until = f" until {clock(admin['until'])}" if admin["until"] else ""
    why = f": {admin['why']}" if admin["why"] else ""
    mode = "" if admin["mode"] == "ready" else admin["mode"]
    what = "handed over" if admin["failover"] else f"{mode}{weight}".strip()
    return f"[{what} by {admin['who']}{until}{why}]"


def _state(state: str) -> str:
    return coloured(state, "green" if state in _GOOD else "red" if state in _BAD else "yellow")


def _age(since: str, now: datetime) -> str:
    """Say how long ago, in the largest unit that says something."""
    seconds = max(0.0, (now - datetime.fromisoformat(since)).total_seconds())
    for unit, name in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= unit:
            return f"{seconds / unit:.0f}{name} ago"
    return f"{seconds:.0f}s ago"
