"""Hypothesis strategies made from the generated JSON Schemas: what a schema allows, exists."""

from typing import Any

from hypothesis import strategies as st

Json = dict[str, Any]

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_FORMATS = {
    "ipv4": st.ip_addresses(v=4).map(str),
    "ipv6": st.ip_addresses(v=6).map(str),
    "date-time": st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"),
}
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)


def conforming(schema: Json, root: Json) -> st.SearchStrategy[Any]:
    """Make values that *schema*, a part of *root*, allows."""
    if "$ref" in schema:
        return conforming(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "anyOf" in schema:
        return st.one_of([conforming(each, root) for each in schema["anyOf"]])
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    return _of_type(schema, root)


def _of_type(schema: Json, root: Json) -> st.SearchStrategy[Any]:
    match schema.get("type"):
        case "string":
            return _string(schema)
        case "integer":
            return st.integers(schema.get("minimum", 0), schema.get("maximum", 2**31))
        case "number":
            least = schema.get("minimum", schema.get("exclusiveMinimum", 0))
            return st.floats(least, schema.get("maximum", 1e9), exclude_min="minimum" not in schema)
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
        case "array":
            most = min(schema.get("maxItems", 3), 3)
            items = conforming(schema["items"], root)
            return st.lists(items, min_size=schema.get("minItems", 0), max_size=most)
        case "object":
            return _object(schema, root)
    return _JSON


def _string(schema: Json) -> st.SearchStrategy[str]:
    if "pattern" in schema:
        return st.from_regex(schema["pattern"].replace("$", r"\Z"))
    return _FORMATS.get(schema.get("format", ""), texts)


def _object(schema: Json, root: Json) -> st.SearchStrategy[Json]:
    if "properties" not in schema:
        extra = schema.get("additionalProperties")
        values = conforming(extra, root) if isinstance(extra, dict) else _JSON
        return st.dictionaries(texts, values, max_size=3)
    fields = {name: conforming(each, root) for name, each in schema["properties"].items()}
    required = set(schema.get("required", ()))
    optional = {name: each for name, each in fields.items() if name not in required}
    return st.fixed_dictionaries({name: fields[name] for name in required}, optional=optional)
