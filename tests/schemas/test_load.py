from pathlib import Path

import pytest
import yaml
from tests.schemas.conftest import Complain, Document

from libra_schemas.canonical import digest
from libra_schemas.errors import ConfigError
from libra_schemas.events import ConfigApplied
from libra_schemas.load import config_from, config_of
from libra_schemas.places import Path as KeyPath
from libra_schemas.places import Places, Position
from libra_schemas.revision import Revision

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_a_valid_document_is_a_config(document: Document) -> None:
    config = config_from(document)
    assert config.instances["front"].priority_on("a") == 150
    assert config.services["web"].backends["w2"].weight == 1


def test_every_problem_is_told_at_once(document: Document, complaints: Complain) -> None:
    document["nodes"]["a"]["address"] = "10.0.0"
    document["instances"]["front"]["vrid"] = 300
    document["instances"]["front"]["track"]["services"] = {"wbe": {}}
    document["services"]["web"]["schedular"] = "rr"
    document["services"]["web"]["backends"]["w3"] = {"weight": 1}
    document["notify"]["ops"]["services"] = ["wbe"]
    assert complaints(document) == [
        "nodes.a.address: expected an IP address such as 10.0.0.2 or 2001:db8::2",
        "instances.front.vrid: expected a whole number from 1 to 255",
        "services.web.backends.w3.address: is missing (as in address: 192.0.2.10:80)",
        "services.web.schedular: unknown key 'schedular' (did you mean scheduler?)",
        "instances.front.track.services.wbe: no service is called 'wbe' (did you mean web?)",
        "notify.ops.services[0]: no service is called 'wbe' (did you mean web?)",
    ]


def test_a_broken_service_is_still_known_by_name(document: Document, complaints: Complain) -> None:
    document["services"]["web"] = {"address": "nonsense"}
    assert [text.partition(":")[0] for text in complaints(document)] == ["services.web.address"]


def test_a_broken_entity_is_not_blamed_for_what_follows(
    document: Document, complaints: Complain
) -> None:
    document["services"]["web"]["forward"] = "drr"
    document["services"]["web"]["backends"]["w1"]["weight"] = -1
    document["services"]["web"]["quorum"] = 3
    assert len(complaints(document)) == 2


def test_a_broken_section_leaves_the_others_to_be_looked_at(
    document: Document, complaints: Complain
) -> None:
    document["sync"] = 5
    document["services"]["web"]["backends"]["w3"] = "10.0.1.11:80"
    assert complaints(document) == [
        "sync: expected a mapping of keys to values (as in sync: {enabled: true})",
        "services.web.backends.w3: w1 has the address 10.0.1.11:80 already",
    ]


def test_a_wrong_version_hides_nothing(document: Document, complaints: Complain) -> None:
    document["version"] = 2
    document["notify"]["ops"]["nodes"] = ["c"]
    assert complaints(document) == [
        "version: expected version 1",
        "notify.ops.nodes[0]: no node is called 'c' (known: a, b)",
    ]


@pytest.mark.parametrize("document", [None, [], "text", 5, {}, {"version": 1, "nodes": {}}])
def test_what_is_no_config_at_all_is_told(document: object) -> None:
    with pytest.raises(ConfigError) as caught:
        config_from(document)
    assert caught.value.problems


def test_problems_come_in_the_order_of_the_file(document: Document) -> None:
    document["instances"]["front"]["vrid"] = 300
    document["nodes"]["a"]["address"] = "x"
    keys: dict[KeyPath, Position] = {
        ("instances", "front", "vrid"): (2, 1),
        ("nodes", "a", "address"): (9, 1),
    }
    with pytest.raises(ConfigError) as caught:
        config_from(document, Places("f.yaml", keys, keys))
    assert [problem.line for problem in caught.value.problems] == [2, 9]


def test_a_config_from_the_log_brings_its_revision(document: Document) -> None:
    applied = ConfigApplied(number=4, hash=digest(document), document=document, author="me")
    config, revision = config_of(applied)
    assert config == config_from(document)
    assert revision == Revision(4, digest(document))


def test_a_config_whose_hash_is_another_ones_is_refused(document: Document) -> None:
    applied = ConfigApplied(number=4, hash="0" * 64, document=document, author="me")
    with pytest.raises(ConfigError, match="the hash is not that of the document"):
        config_of(applied)


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.yaml")), ids=lambda path: str(path.name))
def test_every_example_is_valid(path: Path) -> None:
    config = config_from(yaml.safe_load(path.read_text()))
    assert config.services or config.instances
