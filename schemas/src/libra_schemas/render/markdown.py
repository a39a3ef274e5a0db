"""Tables of the event types in Markdown: all of them for docs/events.md, a short one for README."""

from itertools import groupby

from libra_schemas.catalogue import CATALOGUE, ENTITIES, SILENT
from libra_schemas.subjects import REGISTER_OF

BEGIN = "<!-- events -->"
END = "<!-- /events -->"

_HEAD = """# Events

Generated from the models by `python -m libra_schemas.generate`; do not edit.

Published as `lvs.<node>.<type>.<key>`; once logged, republished as `<type>.<node>.<key>`, so
`nats sub 'backend.down.>'` shows each exactly once. The register is what an event overwrites:
of all types with one register and key, the newest holds. JSON Schemas are in
`schemas/generated/events/`, the AsyncAPI document is `schemas/generated/asyncapi.json`.
"""


def events_page() -> str:
    """Render docs/events.md."""
    rows = [
        f"| `{event_type}` | {_code(entry.shown)} | {entry.publisher} |"
        f" `{REGISTER_OF[event_type]}` | {entry.meaning} |"
        for event_type, entry in CATALOGUE.items()
    ]
    head = "| type | key | published by | register | says |\n|---|---|---|---|---|"
    silent = ", ".join(f"`{event_type}`" for event_type in SILENT)
    note = f"\nDefined, but published by no service of this release: {silent}."
    return "\n".join([_HEAD, head, *rows, note]) + "\n"


def short_table() -> str:
    """Render the README's table: one row per family of types."""
    families = groupby(CATALOGUE, key=lambda event_type: event_type.partition(".")[0])
    rows = [_family(family, list(types)) for family, types in families]
    return "\n".join(["| event | key | published by |", "|---|---|---|", *rows]) + "\n"


def _family(family: str, types: list[str]) -> str:
    verbs = " ".join(f"`.{event_type.partition('.')[2]}`" for event_type in types)
    entry = CATALOGUE[types[0]]
    key = _code(entry.shown) if entry.keys != tuple(ENTITIES.values()) else "what is acted on"
    return f"| `{family}` {verbs} | {key} | {entry.publisher} |"


def _code(shown: str) -> str:
    return " or ".join(f"`{each}`" for each in shown.split(" or "))


def filled(text: str) -> str:
    """Put the short table between the markers of *text*; without markers, *text* as it is."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        return text
    return f"{before}{BEGIN}\n{short_table()}{END}{after}"
