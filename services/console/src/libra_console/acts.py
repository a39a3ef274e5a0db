"""What operators do: a verb and the entity's admin state before it give the state after it.

Rule: the state is whole (mode, weight, failover, who, why, until). A mode keeps the weight that
was set without an end, and a weight keeps the mode with its end; `ready` takes everything back.
The one `until` is the end of a drain or maint where there is one, and the weight stays; only where
the mode is ready does it end the weight. An act on what the config does not know is refused.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Literal, assert_never, get_args

from libra_console.registers import of_kind
from libra_schemas.config import Config
from libra_schemas.events import AdminState, InstanceState
from libra_schemas.intent.fold import State, data
from libra_schemas.model import Strict
from libra_schemas.rules.groups import groups

Verb = Literal["drain", "ready", "maint", "weight", "failover"]
VERBS: tuple[Verb, ...] = get_args(Verb)
HOLD = timedelta(seconds=60)
"""How long a failover holds the former master back where its author did not say."""

MOST = 3
"""Entities that a refusal suggests."""

ENTITIES = "node.N, instance.I, service.S or backend.S.B"


Routers = Mapping[str, InstanceState]
"""Instance -> what this node last said of it."""


class Act(Strict):
    """What an operator asks for; *entity* as text, such as `backend.web.w1`."""

    entity: str
    who: str = ""
    why: str = ""
    until: datetime | None = None
    node: str | None = None
    weight: int | None = None


class ActRefused(Exception):
    """The act makes no sense here; the message is one sentence for the operator."""


def outcome(
    registers: State, config: Config, node: str, verb: Verb, act: Act, now: datetime
) -> AdminState:
    """Give the admin state that *verb* makes on *node* of what is known; raise ActRefused."""
    act = spelled_out(verb, act, config)
    require_known(act.entity, config)
    if act.node is not None:
        require_known(f"node.{act.node}", config)
    require_here(act, node)
    routers = _routers(registers)
    if verb == "failover":
        require_effect(act, node, routers)
    elif verb in {"drain", "maint"} and act.entity == f"node.{node}":
        require_no_master(verb, node, routers)
    previous = data(registers, AdminState, "admin", *act.entity.split("."))
    return after(previous, verb, ending(verb, act, now))


def spelled_out(verb: Verb, act: Act, config: Config) -> Act:
    """Give the act on `instance.I` where *act*, a failover or its end, names I alone."""
    name = act.entity
    others = () if verb == "failover" else (*config.nodes, *config.services)
    if verb in {"failover", "ready"} and name in config.instances and name not in others:
        return act.model_copy(update={"entity": f"instance.{name}"})
    return act


def after(previous: AdminState | None, verb: Verb, act: Act) -> AdminState:
    """Give the admin state that *verb* makes of *previous*; raise ActRefused."""
    entity = tuple(act.entity.split("."))
    state = AdminState(
        entity=entity, who=act.who, why=act.why, until=act.until, node=act.node
    ).model_dump()
    match verb:
        case "ready":
            return AdminState.model_validate(state)
        case "drain" | "maint":
            if entity[0] == "instance":
                raise ActRefused(
                    f"{verb} is for node.N, service.S and backend.S.B; an instance is handed over: "
                    f"`libra failover {act.entity}`"
                )
            return AdminState.model_validate(state | {"mode": verb, "weight": lasting(previous)})
        case "weight":
            return _weighted(state, previous, act)
        case "failover":
            if entity[0] not in {"instance", "node"}:
                raise ActRefused("failover is for instance.I and node.N")
            return AdminState.model_validate(state | {"failover": True})
        case _:
            assert_never(verb)


def lasting(state: AdminState | None) -> int | None:
    """Give the weight that outlives *state*: not one whose own end is `until`."""
    if state is None or (state.mode == "ready" and state.until is not None):
        return None
    return state.weight


def _weighted(state: dict[str, object], previous: AdminState | None, act: Act) -> AdminState:
    if state["entity"][0] != "backend":  # type: ignore[index]  # a tuple, see `after`
        raise ActRefused("weight is for backend.S.B")
    if act.weight is None or not 0 <= act.weight <= 65535:  # noqa: PLR2004 - linux/ip_vs.h
        raise ActRefused("weight needs a number from 0 to 65535")
    mode = previous.mode if previous else "ready"
    if act.until is not None and mode != "ready":
        raise ActRefused(f"the backend is in {mode}, and an end would end that; name no `until`")
    until = previous.until if previous and mode != "ready" else act.until
    return AdminState.model_validate(state | {"mode": mode, "weight": act.weight, "until": until})


def ending(verb: Verb, act: Act, now: datetime) -> Act:
    """Give a failover its end: it is an act with an end, not a state that somebody takes back."""
    if verb != "failover" or act.until is not None:
        return act
    return act.model_copy(update={"until": now + HOLD})


def require_here(act: Act, node: str) -> None:
    """Raise ActRefused where *act* is for another node than this one: nobody there would hear."""
    kind, _, name = act.entity.partition(".")
    for meant in (act.node, name if kind == "node" else None):
        if meant not in {None, node}:
            raise ActRefused(f"this is node {node}, and {meant} hears nothing of it: run it there")


def moved_with(state: AdminState, config: Config) -> tuple[str, ...]:
    """Name the other instances of the group that a failover moves with the one that it names."""
    named = config.instances.get(state.entity[-1])
    if not state.failover or state.entity[0] != "instance" or named is None or named.group is None:
        return ()
    return tuple(name for name in groups(config)[named.group] if name != state.entity[-1])


def _routers(registers: State) -> Routers:
    return {
        key[0]: held.event.data
        for key, held in of_kind(registers, "instance")
        if isinstance(held.event.data, InstanceState)
    }


def require_no_master(verb: Verb, node: str, routers: Routers) -> None:
    """Raise ActRefused where *node* is master: its clients come to it, and found no server."""
    owned = [name for name, router in sorted(routers.items()) if router.state == "master"]
    if owned:
        raise ActRefused(
            f"{node} is master of {', '.join(owned)}, and would refuse its clients: first "
            f"`libra failover node.{node} --for 1h`, then {verb}"
        )


def require_effect(act: Act, node: str, routers: Routers) -> None:
    """Raise ActRefused where *node*, this one, has not to give what a failover names."""
    kind, _, name = act.entity.partition(".")
    if kind == "node":
        if routers and all(each.state != "master" for each in routers.values()):
            raise ActRefused(f"{node} is master of no instance, there is nothing to hand over")
    elif name in routers and routers[name].state != "master":
        raise ActRefused(_not_master(name, routers[name]))


def _not_master(name: str, router: InstanceState) -> str:
    where = f"; its master is {router.master}: run it there" if router.master else ""
    return f"{name} is {router.state} on this node, only a master hands over{where}"


def require_known(entity: str, config: Config) -> None:
    """Raise ActRefused where *config* has no such entity; suggest the nearest."""
    known = _entities(config)
    if entity not in known:
        named = [each for each in sorted(known) if each.endswith(f".{entity}")]
        near = named or get_close_matches(entity, known, n=1)
        raise ActRefused(
            f"the config has no {entity!r}"
            + (f"; did you mean {' or '.join(near[:MOST])}?" if near else f"; name {ENTITIES}")
        )


def _entities(config: Config) -> set[str]:
    return {
        *(f"node.{name}" for name in config.nodes),
        *(f"instance.{name}" for name in config.instances),
        *(f"service.{name}" for name in config.services),
        *(f"backend.{s}.{b}" for s, each in config.services.items() for b in each.backends),
    }


def due(registers: State, now: datetime) -> Iterable[AdminState]:
    """Give the states that follow those whose `until` has passed at *now* (aware)."""
    for key, held in of_kind(registers, "admin"):
        state = held.event.data
        if isinstance(state, AdminState) and state.until is not None and state.until <= now:
            yield _ended(state, key)


def _ended(state: AdminState, entity: tuple[str, ...]) -> AdminState:
    return AdminState(
        entity=entity,
        weight=lasting(state),
        who=state.who,
        why=f"{_name(state)} ended as planned",
        node=state.node,
    )


def _name(state: AdminState) -> str:
    if state.failover:
        return "failover"
    return "weight" if state.mode == "ready" and state.weight is not None else state.mode


def next_due(registers: State) -> datetime | None:
    """Tell when the next state ends, None where none does."""
    ends = [
        held.event.data.until
        for _, held in of_kind(registers, "admin")
        if isinstance(held.event.data, AdminState) and held.event.data.until is not None
    ]
    return min(ends, default=None)
