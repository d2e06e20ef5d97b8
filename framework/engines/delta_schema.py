"""Columns as Delta's logs spell them, and as Landfeed does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from deltalake import DeltaTable, Field, Schema

from framework.steps import TableColumn
from framework.types import Array, DataType, Decimal, Map, Scalar, Struct

__all__ = ["columns_of", "delta_schema"]

_DELTA_NAMES = {"tinyint": "byte", "smallint": "short", "int": "integer", "bigint": "long"}
_LANDFEED_NAMES = {delta: ours for ours, delta in _DELTA_NAMES.items()}


def delta_schema(columns: Sequence[TableColumn]) -> Schema:
    """The schema of a table to make."""
    fields = []
    for column in columns:
        metadata = {"comment": column.comment} if column.comment else {}
        field = {"name": column.name, "type": _to_delta(column.type), "nullable": True, "metadata": metadata}
        fields.append(Field.from_json(json.dumps(field)))
    return Schema(fields)


def _to_delta(type_: DataType) -> Any:
    match type_:
        case Scalar(name):
            return _DELTA_NAMES.get(name, name)
        case Decimal():
            return str(type_)
        case Array(element):
            return {"type": "array", "elementType": _to_delta(element), "containsNull": True}
        case Map(key, value):
            return {
                "type": "map",
                "keyType": _to_delta(key),
                "valueType": _to_delta(value),
                "valueContainsNull": True,
            }
        case Struct(members):
            fields = [{"name": n, "type": _to_delta(t), "nullable": True, "metadata": {}} for n, t in members]
            return {"type": "struct", "fields": fields}


def columns_of(delta: DeltaTable) -> Iterator[tuple[str, str]]:
    """The columns (name, type as in `framework.types`) of a table that was opened."""
    for field in json.loads(delta.schema().to_json())["fields"]:
        yield field["name"], _from_delta(field["type"])


def _from_delta(type_: Any) -> str:
    if isinstance(type_, str):
        return _LANDFEED_NAMES.get(type_, type_)
    match type_["type"]:
        case "array":
            return f"array<{_from_delta(type_['elementType'])}>"
        case "map":
            return f"map<{_from_delta(type_['keyType'])},{_from_delta(type_['valueType'])}>"
        case _:
            members = (f"{field['name']}:{_from_delta(field['type'])}" for field in type_["fields"])
            return f"struct<{','.join(members)}>"
