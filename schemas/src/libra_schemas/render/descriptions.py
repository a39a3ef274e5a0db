"""What every key of the config does: the attribute docstrings of its models.

Rule: they are read from the sources when something is rendered and never at a service's start;
pydantic's `use_attribute_docstrings` does the same at every import, for 21 ms more.
"""

import ast
import inspect
from itertools import pairwise
from textwrap import dedent
from typing import Any

from libra_schemas import config
from libra_schemas.model import Strict

Json = dict[str, Any]


def models() -> dict[str, type[Strict]]:
    """List the models of the config by name."""
    return {
        each.__name__: each
        for each in Strict.__subclasses__()
        if each.__module__.startswith(config.__name__)
    }


def descriptions(model: type[Strict]) -> dict[str, str]:
    """Read what stands below the fields of *model*: key as written in the file -> text."""
    (source,) = ast.parse(dedent(inspect.getsource(model))).body
    found = dict(_documented(source)) if isinstance(source, ast.ClassDef) else {}
    fields = model.model_fields
    return {fields[name].alias or name: found[name] for name in fields if name in found}


def _documented(source: ast.ClassDef) -> list[tuple[str, str]]:
    return [
        (field.target.id, " ".join(text.value.value.split()))
        for field, text in pairwise(source.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    ]


def described(schema: Json) -> Json:
    """Give the properties of *schema*, the config's, and of its definitions their descriptions."""
    known = models()
    definitions = {
        name: _with(each, descriptions(known[name])) for name, each in schema["$defs"].items()
    }
    return _with(schema, descriptions(config.Config)) | {"$defs": definitions}


def _with(schema: Json, texts: dict[str, str]) -> Json:
    properties = {
        key: {"description": texts[key], **each} if key in texts else each
        for key, each in schema["properties"].items()
    }
    return schema | {"properties": properties}
