"""What may be written as a column's type, and which names Delta refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from framework.errors import Problem
from framework.law.naming import refused
from framework.loader.nodes import Node
from framework.loader.suggest import did_you_mean
from framework.types import TYPE_NAMES, Array, DataType, Decimal, Map, Scalar, Struct, parse_type

__all__ = ["type_of", "type_problems"]

_TYPES = (*TYPE_NAMES, "decimal", "array", "map", "struct")
_OTHER_TYPES = {
    "varchar": "string", "char": "string", "text": "string", "str": "string", "nvarchar": "string",
    "number": "decimal(p,s)", "money": "decimal(p,s)", "bool": "boolean", "datetime": "timestamp",
    "timestamptz": "timestamp", "time": "string", "int64": "bigint", "int32": "int",
    "float64": "double", "float32": "float", "uuid": "string", "json": "string", "serial": "bigint",
    "timestamp_ltz": "timestamp", "date32": "date", "int8": "bigint", "int4": "int", "list": "array<…>",
    "object": "struct<name:type>", "record": "struct<name:type>", "byte": "tinyint",
}  # fmt: skip


def type_of(node: Node) -> DataType | None:
    """The column's type, None when it has none that can be understood."""
    text = node.get("type") if isinstance(node.value, dict) else node
    if text is None or text.broken:
        return None
    try:
        return parse_type(text.text)
    except ValueError:
        return None


def type_problems(node: Node, path: str) -> Iterator[Problem]:
    """What is wrong with a type as it is written."""
    if node.broken:
        return
    try:
        found = parse_type(node.text)
    except ValueError as error:
        hint = _type_hint(node.text)
        yield node.problem(path, f"'{node.shown}' is no type" if node.secret else str(error), hint)
        return
    marks = next((word for name in _members(found) if (word := refused(name))), None)
    if marks is not None:
        message = f"a Delta table has no member with {marks} in its name: {found}"
        yield node.problem(path, message, "give the member a name that has none")
    if any(not isinstance(key, Scalar | Decimal) for key in _map_keys(found)):
        message = f"the key of a map cannot be an array, a map or a struct: {found}"
        yield node.problem(path, message, "for example map<string,int>")


def _members(type_: DataType) -> Iterator[str]:
    """The names of the members of the structs in a type."""
    match type_:
        case Array(element):
            yield from _members(element)
        case Map(key, value):
            yield from _members(key)
            yield from _members(value)
        case Struct(members):
            for name, member in members:
                yield name
                yield from _members(member)


def _map_keys(type_: DataType) -> Iterator[DataType]:
    """The key types of the maps in a type."""
    match type_:
        case Array(element):
            yield from _map_keys(element)
        case Map(key, value):
            yield key
            yield from _map_keys(value)
        case Struct(members):
            for _, member in members:
                yield from _map_keys(member)


def _type_hint(text: str) -> str:
    word = re.match(r"\s*\w*", text)
    name = word.group().strip().lower() if word else ""
    if text.count("(") > text.count(")") or text.count("<") > text.count(">"):
        return 'put a type that contains a comma in quotes, as in {type: "decimal(12,2)"}'
    if name in _OTHER_TYPES:
        return f"use {_OTHER_TYPES[name]}"
    if name in ("array", "map", "struct", "decimal"):
        return "for example array<string>, map<string,int>, struct<a:int,b:string>, decimal(12,2)"
    return did_you_mean(name, _TYPES) or f"the types are: {', '.join(_TYPES)}"
