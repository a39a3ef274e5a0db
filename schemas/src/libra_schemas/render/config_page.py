"""The reference of the config's keys: docs/config.md.

Rule: a table per part, made of the JSON Schema; a model without a part of its own stands in the
table of who holds it, its keys with a prefix.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from libra_schemas.config.check import KINDS
from libra_schemas.keepalived import ABSENT, OURS
from libra_schemas.render.config_examples import EXAMPLES
from libra_schemas.render.values import DEFINITION, default, values
from libra_schemas.suggestions import LATER

Json = dict[str, Any]
Row = tuple[str, str, str, str]


class Part(NamedTuple):
    """One section: *later* are the places whose keys of later releases it names."""

    model: str
    title: str
    link: str
    later: tuple[str, ...]
    text: str


PARTS = (
    Part("Config", "Top level", "", ("",), "What the file holds."),
    Part("NodeConfig", "Nodes", "[node](#nodes)", ("nodes",), "`nodes`: the directors."),
    Part(
        "InstanceConfig",
        "Instances",
        "[instance](#instances)",
        ("instances", "instances.track"),
        "`instances`: virtual routers (VRRP) and the addresses that their master owns.",
    ),
    Part(
        "ServiceConfig",
        "Services",
        "[service](#services)",
        ("services",),
        "`services`: what the kernel balances. Each has either `address` or `fwmark`. `sorry: "
        "10.0.1.99:80` is short for `sorry: {address: 10.0.1.99:80}`.",
    ),
    Part(
        "BackendConfig",
        "Backends",
        "[backend](#backends)",
        ("services.backends",),
        "`backends` of a service: its real servers. `w1: 10.0.1.11:80` is short for `w1: {address: "
        "10.0.1.11:80}`.",
    ),
    Part(
        "CheckConfig",
        "Checks",
        "[check](#checks)",
        ("services.check",),
        f"`check` of a service or a backend. Each has exactly one of `{'`, `'.join(KINDS)}`. "
        "`check: tcp` is short for `check: {tcp: {}}`, likewise each that needs no key of its own.",
    ),
    Part(
        "HttpSpec",
        "HTTP checks",
        "[http](#http-checks)",
        (),
        "`http` and `https` of a check. A redirect is followed only where `redirects` says so. "
        "`https` has `tls` besides.",
    ),
    Part(
        "SinkConfig",
        "Sinks",
        "[sink](#sinks)",
        ("notify",),
        "`notify`: whom to tell. Each has exactly one of `webhook`, `email`, `program`.",
    ),
    Part(
        "SyncConfig",
        "Connection sync",
        "[sync](#connection-sync)",
        ("sync",),
        "`sync`: connections carried from director to director. All keys may be left out.",
    ),
    Part(
        "TetherConfig",
        "Tethers",
        "[tether](#tethers)",
        ("tether",),
        "`tether`: how a node learns at once that LibrA was killed on another. All keys may be "
        "left out.",
    ),
    Part(
        "IpvsConfig",
        "IPVS",
        "[ipvs](#ipvs)",
        ("ipvs",),
        "`ipvs`: the kernel's IPVS as a whole. All keys may be left out.",
    ),
)

_LINKS = {part.model: part.link for part in PARTS}

_HEAD = """# The config's keys

Generated from the models by `python -m libra_schemas.generate`; do not edit.

One YAML file for the whole cluster; `libra check FILE` names every mistake at once. An unknown key
is an error. A secret is never a value: what can hold one is a `*_file`. Editors read the same from
the JSON Schema: begin the file with
`# yaml-language-server: $schema=PATH/schemas/generated/config.json`.

- A **name** (of a node, instance, service, backend, sink) has letters, digits, `-` and `_`, begins
  with a letter or digit, has 63 characters at most, and is neither `all` nor `cluster`.
- A **duration** is `500ms`, `1s`, `5m`, `1h`, `1d`, or a number of seconds.
- A key with dots is nested: `garp.delay` is `garp: {delay: 5s}`. `NAME` is a name, `[]` an entry of
  a list.
"""

_TABLE = "| key | values | default | what it does |\n|---|---|---|---|"


def config_page(schema: Json) -> str:
    """Render docs/config.md from *schema*, the config's JSON Schema."""
    return "\n".join([_HEAD, *(_section(part, schema) for part in PARTS), _from_keepalived()])


def _section(part: Part, schema: Json) -> str:
    rows = (f"| {' | '.join(row)} |" for row in _rows(part.model, schema))
    example = f"```yaml\n{EXAMPLES[part.model]}```\n"
    table = "\n".join([_TABLE, *rows])
    return f"## {part.title}\n\n{part.text}\n\n{table}\n\n{_later(part)}{example}"


def _rows(model: str, schema: Json, prefix: str = "") -> Iterator[Row]:
    spelled = _spelled(model, schema)
    for key, each in spelled["properties"].items():
        is_required = key in spelled.get("required", ())
        held = "**required**" if is_required else default(each)
        yield f"`{prefix}{key}`", values(each, _LINKS), held, each["description"]
        for nested, suffix in _models(each):
            if nested not in _LINKS:
                yield from _rows(nested, schema, f"{prefix}{key}{suffix}.")


def _spelled(model: str, schema: Json) -> Json:
    """Give the definition of *model* with all its keys, its short form left aside."""
    found: Json = schema["$defs"].get(model, schema)
    return next((each for each in found.get("anyOf", ()) if "properties" in each), found)


def _models(schema: Json, suffix: str = "") -> Iterator[tuple[str, str]]:
    """List the models that *schema* refers to, and how a key of theirs is reached."""
    if "$ref" in schema:
        yield schema["$ref"].removeprefix(DEFINITION), suffix
    for each in schema.get("anyOf", ()):
        yield from _models(each, suffix)
    for each in schema.get("patternProperties", {}).values():
        yield from _models(each, f"{suffix}.NAME")
    if "items" in schema:
        yield from _models(schema["items"], f"{suffix}[]")


def _later(part: Part) -> str:
    own = next(iter(part.later), "")
    keys = [
        f"`{place.removeprefix(own).lstrip('.')}{'.' if place != own else ''}{key}`"
        for place in part.later
        for key in sorted(LATER.get(place, ()))
    ]
    return f"Not in this release yet: {', '.join(keys)}.\n\n" if keys else ""


def _from_keepalived() -> str:
    theirs: dict[str, list[str]] = {}
    for word, ours in (OURS | ABSENT).items():
        theirs.setdefault(ours, []).append(f"`{word}`")
    rows = (f"| {', '.join(words)} | {ours} |" for ours, words in theirs.items())
    head = "| keepalived | here |\n|---|---|"
    return "\n".join(["## Coming from keepalived\n", head, *rows]) + "\n"
