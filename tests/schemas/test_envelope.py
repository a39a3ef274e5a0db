import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from tests.schemas.schema_strategies import conforming

from libra_schemas.catalogue import CATALOGUE, EVERY
from libra_schemas.envelope import (
    MAX_EVENT,
    NEW_CHAIN,
    Draft,
    Event,
    Link,
    Unrecognised,
    decode,
    encode,
    schema_name,
)
from libra_schemas.errors import MalformedEvent
from libra_schemas.events import MODELS, BackendState, ConfigApplied, TableRecord
from libra_schemas.render.json_schema import event_schema
from libra_schemas.subjects import Subject

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
LINK = Link("a", "health", 7, 42, NEW_CHAIN)
SUBJECT = "lvs.a.backend.down.web.w1"

DOWN = BackendState.model_validate(
    {
        "service": "web",
        "backend": "w1",
        "address": "10.0.1.11",
        "port": 80,
        "protocol": "tcp",
        "target": "0" * 64,
        "up": False,
        "evidence": [{"probe": "p1", "reason": "refused", "attempt": 3, "needed": 3}],
    }
)
DRAFT = Draft("backend.down", ("web", "w1"), DOWN, "0198c0de", NOW)


def raw_with(**changes: Any) -> bytes:
    """Forge the stored bytes of DRAFT."""
    return json.dumps(json.loads(encode(DRAFT, LINK)) | changes).encode()


def agreeing(event_type: str, key: tuple[str, ...], data: dict[str, Any]) -> dict[str, Any]:
    """Make generated data say what its type and key say."""
    verb = event_type.partition(".")[2]
    families: dict[str, dict[str, Any]] = {
        "backend": dict(zip(("service", "backend"), key, strict=False))
        | {"up": verb == "up", "held": verb == "held"},
        "service": {"service": key[0], "up": verb == "up"},
        "vrrp": {"instance": key[0], "state": verb},
        "table": {"service": key[0]},
        "operator": {"entity": key, "mode": verb},
        "notify": {"sink": key[0], "delivered": verb == "sent"},
        "peer": {"node": key[0], "reachable": verb == "back"},
        "node": {"service": key[0]},
    }
    said = families.get(event_type.partition(".")[0], {})
    if verb in {"weight", "failover"}:
        said.pop("mode", None)
    if verb == "alarm":
        said.pop("state", None)
    return data | said


@st.composite
def drafts(draw: st.DrawFn, event_type: str) -> tuple[Draft, Link]:
    key = tuple(token.strip("<>") for token in draw(st.sampled_from(CATALOGUE[event_type].keys)))
    schema = event_schema(event_type)
    data = agreeing(event_type, key, draw(conforming(schema["properties"]["data"], schema)))
    publisher = CATALOGUE[event_type].publisher
    draft = Draft(
        event_type,
        key,
        MODELS[event_type].model_validate_json(json.dumps(data)),
        draw(st.uuids()).hex,
        draw(st.datetimes(timezones=st.just(UTC))),
        causationid=draw(st.none() | st.just("0198")),
        configrev=draw(st.none() | st.just("3-" + "a" * 64)),
        traceparent=draw(st.none() | st.just("00-1-2-01")),
    )
    service = key[0] if publisher == EVERY else publisher
    sequence = draw(st.integers(1, 10**18))
    return draft, Link("a", service, draw(st.integers(1, 10**6)), sequence, NEW_CHAIN)


@pytest.mark.parametrize("event_type", list(MODELS))
@settings(max_examples=10)
@given(drawn=st.data())
def test_any_draft_is_stored_as_its_schema_says_and_decodes_to_what_was_said(
    event_type: str, drawn: st.DataObject
) -> None:
    draft, link = drawn.draw(drafts(event_type))
    stored = encode(draft, link)
    Draft202012Validator(event_schema(event_type)).validate(json.loads(stored))
    subject, event = decode(str(Subject(link.node, draft.type, draft.key)), stored)
    assert isinstance(event, Event)
    assert subject.key == draft.key
    assert event.data == draft.data
    assert (event.id, event.time, event.causationid) == (draft.id, draft.time, draft.causationid)
    assert (event.epoch, event.chainseq) == (link.epoch, str(link.chainseq))


@given(st.binary())
def test_any_bytes_decode_or_are_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedEvent):
        decode(SUBJECT, raw)


@given(st.dictionaries(st.sampled_from(list(json.loads(raw_with()))), st.none() | st.text()))
def test_any_forged_envelope_is_told_or_is_an_event(changes: dict[str, Any]) -> None:
    try:
        _, event = decode(SUBJECT, raw_with(**changes))
    except MalformedEvent as error:
        assert str(error)  # noqa: PT017 - either way is right, the property is that no other is
    else:
        assert event.type == "backend.down"


def test_an_event_is_cloudevents_json() -> None:
    said = json.loads(encode(DRAFT, LINK))
    assert said["specversion"] == "1.0"
    assert said["source"] == "/lvs/a/health"
    assert said["type"] == "backend.down"
    assert said["subject"] == "web/w1"
    assert said["time"] == "2026-01-02T03:04:05.678901Z"
    assert said["dataschema"] == "urn:libra:schema:backend.down:1"
    assert (said["epoch"], said["chainseq"], said["chainprev"]) == (7, "42", NEW_CHAIN)
    assert "causationid" not in said


def test_an_unknown_type_is_met_as_a_value() -> None:
    raw = raw_with(type="moon.full", subject="all", data={"phase": 1})
    subject, event = decode("lvs.a.moon.full.all", raw)
    assert isinstance(event, Unrecognised)
    assert (subject.type, event.data) == ("moon.full", {"phase": 1})


def test_a_newer_schema_version_is_met_as_a_value() -> None:
    newer = {"dataschema": "urn:libra:schema:backend.down:2", "data": {"verdict": "gone"}}
    _, event = decode(SUBJECT, raw_with(**newer))
    assert isinstance(event, Unrecognised)


def test_a_newer_schema_version_that_still_reads_is_not_taken_for_ours() -> None:
    _, event = decode(SUBJECT, raw_with(dataschema="urn:libra:schema:backend.down:2"))
    assert isinstance(event, Unrecognised)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        pytest.param({"data": {"up": False}}, "data.service: Field required", id="data missing"),
        pytest.param({"type": "backend.up"}, "type 'backend.up'", id="another type"),
        pytest.param({"subject": "web/w2"}, "on the key", id="another entity"),
        pytest.param({"source": "/lvs/b/health"}, "on the subject of node 'a'", id="another node"),
        pytest.param({"source": "/lvs/a/console"}, "does not publish it", id="another service"),
        pytest.param({"source": "health"}, "source:", id="no source"),
        pytest.param({"epoch": 0}, "epoch:", id="epoch 0"),
        pytest.param({"chainprev": "x"}, "chainprev:", id="no digest"),
        pytest.param({"chainseq": "0"}, "chainseq:", id="chainseq 0"),
        pytest.param({"time": "2026-01-02T03:04:05"}, "time:", id="no time zone"),
        pytest.param(
            {"data": json.loads(DOWN.model_dump_json()) | {"up": True}},
            "does not say down",
            id="data of another verdict",
        ),
        pytest.param(
            {"data": json.loads(DOWN.model_dump_json()) | {"backend": "w2"}},
            "data of web.w2",
            id="data of another backend",
        ),
    ],
)
def test_a_forged_event_is_refused_with_its_reason(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(MalformedEvent, match=complaint):
        decode(SUBJECT, raw_with(**changes))


def test_a_key_that_the_type_does_not_have_is_refused() -> None:
    with pytest.raises(MalformedEvent, match=r"is not <service>\.<backend> of backend.down"):
        decode("lvs.a.backend.down.web", raw_with(subject="web"))


def test_a_subject_of_no_event_is_refused() -> None:
    with pytest.raises(MalformedEvent, match="is not lvs"):
        decode("lvs.a", b"{}")


def test_an_unknown_type_without_an_envelope_is_malformed() -> None:
    with pytest.raises(MalformedEvent, match="id: Field required"):
        decode("lvs.a.moon.full.all", b"{}")


def test_bytes_that_are_no_json_are_malformed() -> None:
    with pytest.raises(MalformedEvent, match="Invalid JSON"):
        decode(SUBJECT, b"\xff")


def test_an_oversized_event_is_refused_before_it_is_read() -> None:
    with pytest.raises(MalformedEvent, match="at most 65536"):
        decode(SUBJECT, b" " * (MAX_EVENT + 1))


def test_an_oversized_event_cannot_be_sent() -> None:
    large = Draft("backend.down", ("web", "w1"), DOWN, "1", NOW, traceparent="x" * MAX_EVENT)
    with pytest.raises(ValueError, match="an event holds at most 65536"):
        encode(large, LINK)


def test_a_config_and_a_listing_may_be_larger() -> None:
    document = {"comment": "x" * MAX_EVENT, "null": None}
    data = ConfigApplied(number=1, hash="0" * 64, document=document, author="me")
    raw = encode(
        Draft("config.applied", ("cluster",), data, "1", NOW), Link("a", "console", 1, 1, NEW_CHAIN)
    )
    _, event = decode("lvs.a.config.applied.cluster", raw)
    assert isinstance(event, Event)
    assert event.data == data


def test_a_listing_of_nothing_reads_back() -> None:
    data = TableRecord(service="web", why="start", table=None, digest="0" * 64)
    link = Link("a", "ipvs-writer", 1, 1, NEW_CHAIN)
    raw = encode(Draft("table.recorded", ("web",), data, "1", NOW), link)
    _, event = decode("lvs.a.table.recorded.web", raw)
    assert isinstance(event, Event)
    assert event.data == data


def test_an_event_that_contradicts_itself_cannot_be_sent() -> None:
    with pytest.raises(ValueError, match="does not say up"):
        encode(Draft("backend.up", ("web", "w1"), DOWN, "1", NOW), LINK)


def test_an_event_of_another_service_cannot_be_sent() -> None:
    with pytest.raises(ValueError, match="from 'vrrp', who does not publish it"):
        encode(DRAFT, Link("a", "vrrp", 1, 1, NEW_CHAIN))


def test_a_schema_is_named_by_type_and_version() -> None:
    assert schema_name("vrrp.master") == "urn:libra:schema:vrrp.master:1"
