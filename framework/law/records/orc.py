"""ORC files, read by pyorc."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO

from framework.law.layout import Rejected
from framework.law.records.typed import Member
from framework.machine import library
from framework.names import Limits
from framework.types import Array, DataType, Decimal, Map, Scalar, Struct

__all__ = ["OrcFile"]

_SCALARS = {
    "BOOLEAN": "boolean",
    "BYTE": "tinyint",
    "SHORT": "smallint",
    "INT": "int",
    "LONG": "bigint",
    "FLOAT": "float",
    "DOUBLE": "double",
    "STRING": "string",
    "CHAR": "string",
    "VARCHAR": "string",
    "DATE": "date",
    "TIMESTAMP": "timestamp_ntz",
    "TIMESTAMP_INSTANT": "timestamp",
}


class OrcFile:
    """See `TypedFile`. A `timestamp` of ORC is a local time, one "with local time zone" a moment."""

    what, signature = "ORC", rb"ORC(?s:.)"

    def schema(self, stream: BinaryIO, limits: Limits) -> Sequence[Member] | Rejected:
        del limits
        schema = library("pyorc", "orc").Reader(stream).schema
        if schema.kind.name != "STRUCT":
            return Rejected("the records of the file are no structs with fields, but single values")
        return [Member(name, _type(field)) for name, field in schema.fields.items()]

    def rows(self, stream: BinaryIO, wanted: Sequence[str]) -> Iterator[Sequence[Any]]:
        pyorc = library("pyorc", "orc")
        reader = pyorc.Reader(stream, struct_repr=pyorc.StructRepr.DICT)
        fields = reader.schema.fields
        ways = [_way(fields[name].kind.name) for name in wanted]
        for record in reader:
            yield [way(record[name]) for name, way in zip(wanted, ways, strict=True)]


def _way(kind: str) -> Callable[[Any], Any]:
    match kind:
        case "TIMESTAMP":
            return lambda value: value if value is None else value.replace(tzinfo=None)
        case "CHAR":  # which is filled up with blanks
            return lambda value: value if value is None else value.rstrip(" ")
        case _:
            return lambda value: value


def _type(schema: Any) -> DataType | None:
    match schema.kind.name:
        case "DECIMAL":
            return Decimal(schema.precision, schema.scale)
        case "LIST":
            element = _type(schema.type)
            return Array(element) if element is not None else None
        case "MAP":
            key, value = _type(schema.key), _type(schema.value)
            return Map(key, value) if key is not None and value is not None else None
        case "STRUCT":
            members = {name: _type(field) for name, field in schema.fields.items()}
            known = tuple((name, type_) for name, type_ in members.items() if type_ is not None)
            return Struct(known) if len(known) == len(members) else None
        case kind:
            return Scalar(_SCALARS[kind]) if kind in _SCALARS else None
