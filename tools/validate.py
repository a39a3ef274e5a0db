"""Validate what LibrA publishes for others against the schemas of those who define the formats.

`python -m tools.validate` (`make check`): the AsyncAPI document against the specification's own
schema, every JSON Schema against its meta-schema, the example configs against the published one.
Nothing is fetched here: tools/asyncapi_schema.py did that.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft7Validator, Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError, best_match
from tools.asyncapi_schema import ROOT, SCHEMA, VERSION

GENERATED = ROOT / "schemas" / "generated"
ASYNCAPI = GENERATED / "asyncapi.json"
CONFIG = GENERATED / "config.json"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

Json = dict[str, Any]


def json_schemas() -> list[Path]:
    """List the JSON Schemas that LibrA publishes."""
    return [CONFIG, *sorted((GENERATED / "events").glob("*.json"))]


def examples() -> list[Path]:
    """List the config files that LibrA ships."""
    return sorted((ROOT / "examples").rglob("*.yaml"))


def asyncapi_problem(document: Json) -> str | None:
    """Say what the specification's schema holds against *document*; None where nothing."""
    if document.get("asyncapi") != VERSION:
        return f"is not AsyncAPI {VERSION}, whose schema was fetched"
    specification = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return told(best_match(Draft7Validator(specification).iter_errors(document)))


def schema_problem(schema: Json) -> str | None:
    """Say what its meta-schema, draft 2020-12, holds against *schema*; None where nothing."""
    if schema.get("$schema") != DIALECT:
        return f"does not name its dialect, {DIALECT}"
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return told(error)
    return None


def config_problem(document: Any, schema: Json) -> str | None:
    """Say what the config's JSON Schema holds against *document*; None where nothing."""
    return told(best_match(Draft202012Validator(schema).iter_errors(document)))


def told(error: ValidationError | SchemaError | None) -> str | None:
    """Say where an error is, and what it is."""
    if error is None:
        return None
    return f"/{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"


def problems() -> Iterator[tuple[Path, str | None]]:
    """Look at every file; yield it and what is wrong with it."""
    yield ASYNCAPI, asyncapi_problem(json.loads(ASYNCAPI.read_text(encoding="utf-8")))
    for path in json_schemas():
        yield path, schema_problem(json.loads(path.read_text(encoding="utf-8")))
    schema = json.loads(CONFIG.read_text(encoding="utf-8"))
    for path in examples():
        yield path, config_problem(yaml.safe_load(path.read_text(encoding="utf-8")), schema)


def main() -> int:
    """Print what is wrong, or how much was looked at."""
    seen = list(problems())
    wrong = [(path, problem) for path, problem in seen if problem is not None]
    for path, problem in wrong:
        print(f"{path.relative_to(ROOT)}: {problem}", file=sys.stderr)
    if not wrong:
        shown = (
            f"AsyncAPI {VERSION}, {len(json_schemas())} JSON Schemas, {len(examples())} examples"
        )
        print(f"Validated: {shown}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
