import json
from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from tests.schemas.conftest import Document

from libra_schemas.config import Config
from libra_schemas.sound import STAND_INS, sound_part


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Give every model that a config is made of."""
    origin = get_origin(annotation)
    if origin in {Annotated, Union, UnionType, dict, tuple}:
        for each in get_args(annotation):
            yield from models(each)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from models(field.annotation)


def test_what_any_part_cannot_be_without_is_stood_in_for() -> None:
    required = {
        field.alias or name
        for model in models(Config)
        for name, field in model.model_fields.items()
        if field.is_required()
    }
    assert required == set(STAND_INS)


def test_a_broken_required_field_leaves_the_rest_of_its_part(document: Document) -> None:
    document["instances"]["front"] |= {"vrid": 300, "interval": "200ms"}
    place = ("instances", "front", "vrid")
    part = sound_part(document, [place])
    assert part.config is not None
    assert part.config.instances["front"].interval == 0.2
    assert part.broken == {place}


def test_a_broken_optional_field_goes(document: Document) -> None:
    document["services"]["web"]["backends"]["w1"]["weight"] = -1
    part = sound_part(document, [("services", "web", "backends", "w1", "weight")])
    assert part.config is not None
    assert part.config.services["web"].backends["w1"].weight == 1


def test_an_unknown_key_goes_even_where_it_is_called_like_a_required_one(
    document: Document,
) -> None:
    document["instances"]["front"]["garp"] = {"address": "x", "repeat": 7}
    part = sound_part(document, [("instances", "front", "garp", "address")])
    assert part.config is not None
    assert part.config.instances["front"].garp.repeat == 7


def test_entries_after_a_broken_one_are_counted_as_written(document: Document) -> None:
    document["notify"]["ops"]["match"] = ["?", "backend.*", "?", "moon.*"]
    match = ("notify", "ops", "match")
    part = sound_part(document, [(*match, 0), (*match, 2)])
    assert part.config is not None
    assert part.config.notify["ops"].match == ("backend.*", "moon.*")
    assert [part.as_written((*match, index)) for index in (0, 1)] == [(*match, 1), (*match, 3)]


def test_any_entry_of_a_list_is_counted_back_to_where_it_was(document: Document) -> None:
    for lost in ({0, 1}, {1, 2, 5}, {0, 3, 4, 6}, {6}):
        document["notify"]["ops"]["match"] = ["?" if n in lost else "*.*" for n in range(7)]
        match = ("notify", "ops", "match")
        part = sound_part(document, [(*match, index) for index in lost])
        kept = [index for index in range(7) if index not in lost]
        found = [part.as_written((*match, place)) for place in range(len(kept))]
        assert found == [(*match, index) for index in kept]


def test_a_list_that_loses_every_entry_is_stood_in_for(document: Document) -> None:
    document["instances"]["front"]["addresses"] = ["x"]
    part = sound_part(document, [("instances", "front", "addresses", 0)])
    assert part.config is not None
    assert len(part.config.instances["front"].addresses) == 1
    assert ("instances", "front", "addresses") in part.broken


def test_what_is_nested_deeply_is_no_obstacle(document: Document) -> None:
    document["nodes"]["a"]["x"] = json.loads("[" * 900 + "]" * 900)
    document["instances"]["front"]["vrid"] = document["nodes"]["a"]["x"]
    deep = [("nodes", "a", "x"), ("instances", "front", "vrid")]
    assert sound_part(document, deep).config is not None


def test_of_what_is_no_mapping_nothing_is_sound() -> None:
    assert sound_part(["x"], [("version",)]).config is None
    assert sound_part({}, [()]).config is None


def test_nothing_that_was_handed_over_is_changed(document: Document) -> None:
    document["instances"]["front"]["vrid"] = 300
    sound_part(document, [("instances", "front", "vrid")])
    assert document["instances"]["front"]["vrid"] == 300
