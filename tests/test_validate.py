"""`make check` refuses a published document that its format's own schema does not allow."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tools import asyncapi_schema, validate

DOCUMENT = json.loads(validate.ASYNCAPI.read_text())
CONFIG = json.loads(validate.CONFIG.read_text())


def broken(change: Callable[[Any], object], whole: Any) -> Any:
    """Copy a document and break it."""
    document = copy.deepcopy(whole)
    change(document)
    return document


def test_what_is_committed_is_valid() -> None:
    assert [(path.name, problem) for path, problem in validate.problems() if problem] == []


def test_every_generated_file_and_every_example_is_looked_at() -> None:
    seen = {path for path, _ in validate.problems()}
    assert seen == {*validate.GENERATED.rglob("*.json"), *validate.examples()}
    assert asyncapi_schema.ROOT / "examples/compose/libra.yaml" in seen


@pytest.mark.parametrize(
    ("change", "place"),
    [
        pytest.param(lambda it: it.pop("info"), "/", id="no title"),
        pytest.param(lambda it: it.update(asyncapi="2.6.0"), "3.0.0", id="an older version"),
        pytest.param(lambda it: it.update(topics={}), "/", id="a section that does not exist"),
        pytest.param(
            lambda it: it["operations"]["health.backend.up"].update(action="publish"),
            "/operations/health.backend.up",
            id="an action of AsyncAPI 2",
        ),
        pytest.param(
            lambda it: it["channels"]["backend.up"].update(address=7),
            "/channels/backend.up",
            id="an address that is no text",
        ),
        pytest.param(
            lambda it: it["servers"]["director"].pop("protocol"),
            "/servers/director",
            id="a server without its protocol",
        ),
        pytest.param(
            lambda it: it["components"]["schemas"]["Causes"].update(type="struct"),
            "/components/schemas/Causes",
            id="a payload of no JSON type",
        ),
    ],
)
def test_a_broken_asyncapi_document_is_refused_where_it_is_wrong(
    change: Callable[[Any], object], place: str
) -> None:
    problem = validate.asyncapi_problem(broken(change, DOCUMENT))
    assert problem is not None
    assert place in problem


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda it: it.pop("$schema"), id="no dialect"),
        pytest.param(lambda it: it["properties"]["version"].update(type="whole"), id="no type"),
        pytest.param(lambda it: it.update(required="version"), id="required is no list"),
    ],
)
def test_a_broken_json_schema_is_refused(change: Callable[[Any], object]) -> None:
    assert validate.schema_problem(broken(change, CONFIG)) is not None


def test_an_example_that_no_editor_accepts_is_refused_at_its_value() -> None:
    document = {"version": 1, "nodes": {"a": {"address": "10.0.0.2", "zone": "x"}}}
    assert str(validate.config_problem(document, CONFIG)).startswith("/nodes/a: ")


def test_a_problem_ends_the_check_and_names_its_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(validate, "problems", lambda: iter([(validate.CONFIG, "/: is broken")]))
    assert validate.main() == 1
    assert capsys.readouterr().err == "schemas/generated/config.json: /: is broken\n"


def test_another_archive_than_the_pinned_one_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(asyncapi_schema, "npm", lambda _: ["npm"])
    monkeypatch.setattr(
        asyncapi_schema, "run", lambda _: (tmp_path / "specs.tgz").write_bytes(b"another")
    )
    with pytest.raises(asyncapi_schema.NotFetched, match="is not the pinned archive"):
        asyncapi_schema.archive(tmp_path)
