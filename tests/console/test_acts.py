"""Operators' acts: verb and state before give the whole state after."""

from datetime import UTC, datetime, timedelta

import pytest

from libra_console.acts import (
    HOLD,
    VERBS,
    Act,
    ActRefused,
    Routers,
    Verb,
    after,
    due,
    ending,
    moved_with,
    next_due,
    outcome,
    require_effect,
    require_known,
    spelled_out,
)
from libra_schemas.config import Config
from libra_schemas.envelope import NEW_CHAIN, Event
from libra_schemas.events import AdminState, EventData, InstanceState, PeerState
from libra_schemas.intent.fold import Entry, State
from libra_schemas.subjects import Subject

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
W1 = Act(entity="backend.web.w1", who="me", why="because")
CONFIG = Config.model_validate(
    {
        "version": 1,
        "nodes": {"a": {"address": "10.0.0.2"}},
        "services": {"web": {"address": "192.0.2.1:80", "backends": {"w1": "10.0.0.5:80"}}},
    }
)
PAIR = CONFIG.model_copy(update={"nodes": CONFIG.nodes | {"b": CONFIG.nodes["a"]}})


def test_a_drain_says_who_and_why() -> None:
    state = after(None, "drain", W1)
    assert state.entity == ("backend", "web", "w1")
    assert (state.mode, state.weight, state.who, state.why) == ("drain", None, "me", "because")


def test_a_drain_keeps_the_weight_that_was_set_and_ready_takes_it_back() -> None:
    weighted = after(None, "weight", W1.model_copy(update={"weight": 5}))
    drained = after(weighted, "drain", W1)
    assert (drained.mode, drained.weight) == ("drain", 5)
    ready = after(drained, "ready", W1)
    assert (ready.mode, ready.weight) == ("ready", None)


def test_a_weight_keeps_the_mode() -> None:
    state = after(after(None, "maint", W1), "weight", W1.model_copy(update={"weight": 5}))
    assert (state.mode, state.weight) == ("maint", 5)


def test_a_weight_keeps_the_end_of_the_mode_but_not_that_of_a_weight_before() -> None:
    heavier = W1.model_copy(update={"weight": 5})
    ends = {"until": NOW}
    drained = after(None, "drain", W1.model_copy(update=ends))
    assert after(drained, "weight", heavier).until == NOW
    weighted = after(None, "weight", heavier.model_copy(update=ends))
    assert after(weighted, "weight", heavier).until is None


@pytest.mark.parametrize("weight", [None, -1, 65536])
def test_a_weight_outside_the_kernels_range_is_refused(weight: int | None) -> None:
    with pytest.raises(ActRefused, match="0 to 65535"):
        after(None, "weight", W1.model_copy(update={"weight": weight}))


def test_a_service_has_no_weight() -> None:
    with pytest.raises(ActRefused, match="weight is for"):
        after(None, "weight", Act(entity="service.web", weight=1))


def test_a_failover_is_for_instances_and_nodes() -> None:
    assert after(None, "failover", Act(entity="instance.front")).failover
    with pytest.raises(ActRefused, match="failover is for"):
        after(None, "failover", W1)


def test_a_failover_has_an_end_and_nothing_else_gets_one() -> None:
    act = Act(entity="instance.front")
    assert ending("failover", act, NOW).until == NOW + HOLD
    chosen = act.model_copy(update={"until": NOW})
    assert ending("failover", chosen, NOW + HOLD).until == NOW
    assert ending("drain", W1, NOW).until is None


def instance(state: str, master: str | None = None) -> InstanceState:
    return InstanceState.model_validate(
        {
            "instance": "front", "state": state, "why": "start", "vrid": 5, "interface": "eth0",
            "priority": 100, "interval_ms": 1000, "master": master,
        }
    )  # fmt: skip


def router(state: str, master: str | None = None) -> Routers:
    return {"front": instance(state, master)}


def registers(what: InstanceState) -> State:
    kind = f"vrrp.{what.state}"
    event = Event(
        id="x", source="/lvs/a/x", type=kind, subject="front", time=NOW, dataschema="x",
        epoch=1, chainseq="1", chainprev=NEW_CHAIN, data=what,
    )  # fmt: skip
    return {("instance", "front"): Entry(1, Subject("a", kind, ("front",)), event)}


FRONT = Act(entity="instance.front")
NODE = Act(entity="node.a")


def test_only_a_master_hands_over() -> None:
    require_effect(FRONT, "a", router("master"))
    require_effect(FRONT, "a", {})
    told = r"front is backup on this node.*its master is 10\.0\.0\.3: run it there"
    with pytest.raises(ActRefused, match=told):
        require_effect(FRONT, "a", router("backup", "10.0.0.3"))
    with pytest.raises(ActRefused, match=r"only a master hands over$"):
        require_effect(FRONT, "a", router("fault"))


def test_a_node_hands_over_what_it_is_master_of() -> None:
    require_effect(NODE, "a", router("master"))
    require_effect(NODE, "a", {})
    with pytest.raises(ActRefused, match="a is master of no instance"):
        require_effect(NODE, "a", router("backup"))


@pytest.mark.parametrize("verb", ["drain", "maint"])
def test_a_master_is_not_drained_before_it_handed_over(verb: Verb) -> None:
    told = f"a is master of front.*first `libra failover node.a --for 1h`, then {verb}"
    with pytest.raises(ActRefused, match=told):
        outcome(registers(instance("master")), PAIR, "a", verb, NODE, NOW)
    for state in (registers(instance("backup")), {}):
        assert outcome(state, PAIR, "a", verb, NODE, NOW).mode == verb
    assert outcome(registers(instance("master")), PAIR, "a", "ready", NODE, NOW).mode == "ready"
    assert outcome(registers(instance("master")), PAIR, "a", verb, W1, NOW).mode == verb


@pytest.mark.parametrize("verb", VERBS)
def test_an_act_for_another_node_is_refused_since_its_log_ends_here(verb: Verb) -> None:
    for act in (Act(entity="node.b"), W1.model_copy(update={"node": "b", "weight": 1})):
        with pytest.raises(ActRefused, match="this is node a, and b hears nothing of it: run it"):
            outcome({}, PAIR, "a", verb, act, NOW)
    with pytest.raises(ActRefused, match=r"no 'node\.c'"):
        outcome({}, PAIR, "a", verb, W1.model_copy(update={"node": "c"}), NOW)


def test_an_act_may_name_the_node_it_is_given_on() -> None:
    assert outcome({}, PAIR, "a", "drain", W1.model_copy(update={"node": "a"}), NOW).node == "a"
    assert outcome({}, PAIR, "b", "drain", Act(entity="node.b"), NOW).mode == "drain"


@pytest.mark.parametrize("verb", ["drain", "maint"])
def test_an_instance_is_handed_over_and_not_drained(verb: Verb) -> None:
    with pytest.raises(ActRefused, match=r"`libra failover instance\.front`"):
        after(None, verb, FRONT)
    assert after(None, "ready", FRONT).mode == "ready"
    assert after(None, verb, NODE).mode == verb


def test_what_the_config_does_not_know_is_refused_with_the_nearest_name() -> None:
    require_known("backend.web.w1", CONFIG)
    with pytest.raises(ActRefused, match=r"did you mean backend\.web\.w1\?"):
        require_known("backend.web.w11", CONFIG)
    for word in ("w1", "web.w1"):
        with pytest.raises(ActRefused, match=r"did you mean backend\.web\.w1\?"):
            require_known(word, CONFIG)
    with pytest.raises(ActRefused, match=r"name node\.N"):
        require_known("???", CONFIG)


def admin(*states: EventData) -> State:
    held: dict[tuple[str, ...], Entry] = {}
    for sequence, what in enumerate(states, 1):
        key = what.entity if isinstance(what, AdminState) else ("node", "x")
        event = Event(
            id="x",
            source="/lvs/a/console",
            type="operator.drain",
            subject="/".join(key),
            time=NOW,
            dataschema="x",
            epoch=1,
            chainseq="1",
            chainprev=NEW_CHAIN,
            data=what,
        )
        subject = Subject("a", "operator.drain", key)
        held[("admin", *key)] = Entry(sequence, subject, event)
    return held


def test_a_state_whose_time_has_passed_is_followed_by_ready() -> None:
    hour = timedelta(hours=1)
    over = after(None, "drain", W1.model_copy(update={"until": NOW}))
    later = after(None, "drain", Act(entity="service.web", until=NOW + hour))
    held = admin(over, later, PeerState(node="x", reachable=True))
    assert next_due(held) == NOW
    (state,) = due(held, NOW)
    assert (state.entity, state.mode, state.until) == (("backend", "web", "w1"), "ready", None)
    assert state.why == "drain ended as planned"
    assert next_due(admin(later)) == NOW + hour


def test_the_end_of_a_drain_brings_back_the_weight_an_operator_set_before() -> None:
    weighted = after(None, "weight", W1.model_copy(update={"weight": 5}))
    drained = after(weighted, "drain", W1.model_copy(update={"until": NOW}))
    (state,) = due(admin(drained), NOW)
    assert (state.mode, state.weight, state.until) == ("ready", 5, None)
    assert state.why == "drain ended as planned"


def test_a_weight_with_an_end_goes_at_its_end_and_with_a_drain() -> None:
    weighted = after(None, "weight", W1.model_copy(update={"weight": 5, "until": NOW}))
    (state,) = due(admin(weighted), NOW)
    assert (state.mode, state.weight, state.why) == ("ready", None, "weight ended as planned")
    assert after(weighted, "drain", W1).weight is None


def test_a_weight_may_not_bring_an_end_to_a_drain_that_has_its_own_or_none() -> None:
    heavier = W1.model_copy(update={"weight": 5, "until": NOW})
    with pytest.raises(ActRefused, match="in drain, and an end would end that"):
        after(after(None, "drain", W1), "weight", heavier)


def test_nothing_is_due_where_nobody_named_an_end() -> None:
    held = admin(after(None, "drain", W1))
    assert list(due(held, NOW)) == []
    assert next_due(held) is None


def test_a_failover_moves_the_group_and_nothing_else_does() -> None:
    one = {"interface": "eth0", "priority": {"a": 1}}
    instances = {
        "outside": one | {"vrid": 1, "addresses": ["192.0.2.1/24"], "group": "nat"},
        "inside": one | {"vrid": 2, "addresses": ["192.0.2.2/24"], "group": "nat"},
        "alone": one | {"vrid": 3, "addresses": ["192.0.2.3/24"]},
    }
    config = Config.model_validate(CONFIG.model_dump(by_alias=True) | {"instances": instances})

    def moved(verb: Verb, entity: str) -> tuple[str, ...]:
        return moved_with(after(None, verb, Act(entity=entity)), config)

    assert moved("failover", "instance.outside") == ("inside",)
    assert moved("failover", "instance.alone") == ()
    assert moved("failover", "node.a") == ()
    assert moved("ready", "instance.outside") == ()
    assert moved("failover", "instance.gone") == ()


@pytest.mark.parametrize(
    ("verb", "written", "meant"),
    [
        ("failover", "front", "instance.front"),
        ("ready", "front", "instance.front"),
        ("failover", "web", "instance.web"),
        ("ready", "web", "web"),
        ("drain", "front", "front"),
        ("failover", "instance.front", "instance.front"),
        ("failover", "a", "a"),
        ("ready", "frnt", "frnt"),
    ],
)
def test_an_instance_is_handed_over_by_its_bare_name(verb: Verb, written: str, meant: str) -> None:
    """And taken back by it, where nothing else is called so."""
    one = {"interface": "eth0", "vrid": 51, "addresses": ["192.0.2.10/24"]}
    instances = {"front": one, "web": one | {"vrid": 52, "addresses": ["192.0.2.11/24"]}}
    written_out = CONFIG.model_dump(by_alias=True) | {"instances": instances}
    config = Config.model_validate(written_out)
    assert spelled_out(verb, Act(entity=written), config).entity == meant
    if meant == "instance.front":
        now = outcome({}, config, "a", verb, Act(entity=written), NOW)
        assert (now.entity, now.failover) == (("instance", "front"), verb == "failover")
