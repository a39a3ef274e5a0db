"""What the models of the config say may stand at a path: its keys, its bounds."""

from collections.abc import Iterable
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from libra_schemas.config import Config
from libra_schemas.places import Path


def keys_at(path: Path) -> frozenset[str]:
    """List the keys that may stand in the mapping at *path*."""
    return frozenset(
        field.alias or name
        for annotation in _annotations(Config, path)
        for member, _ in _members(annotation)
        if isinstance(member, type) and issubclass(member, BaseModel)
        for name, field in member.model_fields.items()
    )


def bounds_at(path: Path) -> tuple[int | None, int | None]:
    """Tell the least and the greatest number that may stand at *path*, None where unbounded."""
    for annotation in _annotations(Config, path):
        for member, metadata in _members(annotation):
            least = [mark.ge for mark in metadata if hasattr(mark, "ge")]
            greatest = [mark.le for mark in metadata if hasattr(mark, "le")]
            if member is int and (least or greatest):
                return _first(least), _first(greatest)
    return None, None


def _first(found: list[Any]) -> int | None:
    return int(found[0]) if found else None


def _annotations(annotation: Any, path: Path) -> tuple[Any, ...]:
    if not path:
        return (annotation,)
    return tuple(
        deeper
        for member, _ in _members(annotation)
        for inner in _inner(member, path[0])
        for deeper in _annotations(inner, path[1:])
    )


def _members(annotation: Any, metadata: tuple[Any, ...] = ()) -> Iterable[tuple[Any, list[Any]]]:
    """Open Annotated and unions: give each type with what is marked on it."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from _members(args[0], (*metadata, *args[1:]))
    elif origin in {Union, UnionType}:
        for member in args:
            yield from _members(member, metadata)
    elif annotation is not NoneType:
        yield annotation, list(_marks(metadata))


def _marks(metadata: Iterable[Any]) -> Iterable[Any]:
    for mark in metadata:
        yield from mark.metadata if isinstance(mark, FieldInfo) else (mark,)


def _inner(annotation: Any, part: str | int) -> Iterable[Any]:
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is dict:
        yield args[1]
    elif origin is tuple and isinstance(part, int):
        yield args[0]
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from (_fields(annotation)[part],) if part in _fields(annotation) else ()


@cache
def _fields(model: type[BaseModel]) -> dict[str | int, Any]:
    """Give each field's annotation, with the marks that pydantic moved beside it."""
    return {
        field.alias or name: Annotated[(field.annotation, *field.metadata)]
        if field.metadata
        else field.annotation
        for name, field in model.model_fields.items()
    }
