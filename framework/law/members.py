"""Members: what structs within columns have that the schema does not, and how their types grow by it.

Paths are names of members, one below another; lists and maps on the way have no name in them. A type grows by members
at the end of its structs, each a text; so every value of it is one of the grown type, which has NULL there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from framework.types import Array, DataType, Map, Scalar, Struct, parse_type

__all__ = [
    "grown",
    "grows",
    "has_member",
    "has_structs",
    "lacks",
    "members_of_type",
    "members_of_value",
    "new_members",
    "with_member",
]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_LIST, _VALUE = "element", "value"
"""What stands in Spark's paths for the elements of a list and the values of a map."""
Path = tuple[str, ...]


def has_structs(type_: DataType) -> bool:
    """Whether values of a type have members."""
    match type_:
        case Array(inner) | Map(_, inner):
            return has_structs(inner)
        case _:
            return isinstance(type_, Struct)


def members_of_value(value: Any, type_: DataType) -> Iterator[Path]:
    """The members of a JSON value that the type does not have, as often as they occur."""
    match type_, value:
        case Struct(fields), dict():
            known = dict(fields)
            for name, item in value.items():
                below = known.get(name)
                if below is None:
                    yield (name,)
                elif isinstance(item, dict | list):
                    yield from ((name, *path) for path in members_of_value(item, below))
        case Array(inner), list():
            for item in value:
                yield from members_of_value(item, inner)
        case Map(_, inner), dict():
            for item in value.values():
                yield from members_of_value(item, inner)


def members_of_type(there: DataType, type_: DataType) -> Iterator[Path]:
    """The members of values of a type that another type does not have."""
    match type_, there:
        case Struct(fields), Struct(others):
            known = dict(fields)
            for name, below in others:
                if name not in known:
                    yield (name,)
                else:
                    yield from ((name, *path) for path in members_of_type(below, known[name]))
        case (Array(inner), Array(other)) | (Map(_, inner), Map(_, other)):
            yield from members_of_type(other, inner)


def lacks(type_: DataType, path: Path) -> bool:
    """Whether a type has no such member, and may have one: its name is plain, and no other one's in another case."""
    match type_:
        case Array(inner) | Map(_, inner):
            return lacks(inner, path)
        case Struct(fields) if len(path) == 1:
            return bool(_NAME.fullmatch(path[0])) and path[0].lower() not in {name.lower() for name, _ in fields}
        case Struct(fields) if path[0] in dict(fields):
            return lacks(dict(fields)[path[0]], path[1:])
        case _:
            return False


def has_member(type_: DataType, path: Path) -> bool:
    """Whether a type has this very member."""
    match type_:
        case Array(inner) | Map(_, inner):
            return has_member(inner, path)
        case Struct(fields) if path[0] in dict(fields):
            return len(path) == 1 or has_member(dict(fields)[path[0]], path[1:])
        case _:
            return False


def with_member(type_: DataType, path: Path) -> DataType:
    """The type with one more member, a text at the end of its struct."""
    match type_:
        case Array(inner):
            return Array(with_member(inner, path))
        case Map(key, inner):
            return Map(key, with_member(inner, path))
        case Struct(fields) if len(path) == 1:
            return Struct((*fields, (path[0], Scalar("string"))))
        case Struct(fields):
            return Struct(
                tuple((name, with_member(below, path[1:]) if name == path[0] else below) for name, below in fields)
            )
        case _:
            return type_


def grown(type_: DataType, more: DataType) -> DataType:
    """The type with the members that another one has more."""
    for path in members_of_type(more, type_):
        if lacks(type_, path):
            type_ = with_member(type_, path)
    return type_


def grows(there: str, wanted: DataType) -> bool:
    """Whether a column that is of a type (as in `framework.types`) becomes one of the wanted type by members that its
    structs get."""
    try:
        known = parse_type(there)
    except ValueError:
        return False
    return known != wanted and _without_new(known, wanted) == known


def _without_new(known: DataType, wanted: DataType) -> DataType:
    """The wanted type without the members of its structs that the known one does not have."""
    match known, wanted:
        case Struct(fields), Struct(others):
            had = dict(fields)
            return Struct(tuple((name, _without_new(had[name], below)) for name, below in others if name in had))
        case Array(inner), Array(other):
            return Array(_without_new(inner, other))
        case Map(_, inner), Map(key, other):
            return Map(key, _without_new(inner, other))
        case _:
            return wanted


def new_members(there: DataType, wanted: DataType, at: Path = ()) -> Iterator[tuple[Path, DataType, str | None]]:
    """The members by which a type grows, in their order: the path as Spark writes it, the type, and the member behind
    which it stands (None = it is the first)."""
    match there, wanted:
        case Struct(fields), Struct(others):
            had, before = dict(fields), None
            for name, below in others:
                if name in had:
                    yield from new_members(had[name], below, (*at, name))
                else:
                    yield (*at, name), below, before
                before = name
        case Array(inner), Array(other):
            yield from new_members(inner, other, (*at, _LIST))
        case Map(_, inner), Map(_, other):
            yield from new_members(inner, other, (*at, _VALUE))
