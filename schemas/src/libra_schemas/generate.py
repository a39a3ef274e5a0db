"""Write the generated files: `python -m libra_schemas.generate [repository root]`.

Rule: rendering is pure; only `main` touches files. A test compares them with the models.
"""

import json
import sys
from pathlib import Path
from typing import Any

from libra_schemas.events import MODELS
from libra_schemas.render.asyncapi import document
from libra_schemas.render.config_page import config_page
from libra_schemas.render.json_schema import config_schema, event_schema
from libra_schemas.render.markdown import events_page, filled

README = "README.md"


def documents() -> dict[str, str]:
    """Render every generated file: path from the repository's root -> text."""
    schemas = {
        f"schemas/generated/events/{event_type}.json": _json(event_schema(event_type))
        for event_type in MODELS
    }
    return schemas | {
        "schemas/generated/config.json": _json(config_schema()),
        "schemas/generated/asyncapi.json": _json(document()),
        "docs/config.md": config_page(config_schema()),
        "docs/events.md": events_page(),
    }


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write all of them, and the table of a README that has its markers."""
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    for path, text in documents().items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    readme = root / README
    if readme.exists():
        readme.write_text(filled(readme.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
