"""Avro files, read by fastavro."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from framework.law.conversions import moment_text
from framework.law.layout import Rejected
from framework.law.records.avro_guard import guard_blocks, guard_schema
from framework.law.records.typed import Member
from framework.machine import library
from framework.names import Limits
from framework.types import MOST_DIGITS, Array, DataType, Decimal, Map, Scalar, Struct

__all__ = ["AvroFile"]

_PRIMITIVES = {"int": "int", "long": "bigint", "float": "float", "double": "double", "boolean": "boolean"}
_LOGICAL = {
    "date": "date",
    "timestamp-millis": "timestamp",
    "timestamp-micros": "timestamp",
    "timestamp-nanos": "timestamp",
    "local-timestamp-millis": "timestamp_ntz",
    "local-timestamp-micros": "timestamp_ntz",
    "local-timestamp-nanos": "timestamp_ntz",
}


class AvroFile:
    """See `TypedFile`."""

    what, signature = "Avro", rb"Obj\x01"

    def schema(self, stream: BinaryIO, limits: Limits) -> Sequence[Member] | Rejected:
        fastavro = library("fastavro", "avro")
        guard_blocks(stream, limits)
        schema = fastavro.reader(stream).writer_schema
        guard_schema(schema, limits)
        if not isinstance(schema, Mapping) or schema.get("type") != "record":
            return Rejected("the records of the file are no Avro records with fields, but single values")
        return [Member(field["name"], _type(field["type"])) for field in schema["fields"]]

    def rows(self, stream: BinaryIO, wanted: Sequence[str]) -> Iterator[Sequence[Any]]:
        reader = library("fastavro", "avro").reader(stream)
        nanos = {field["name"]: each for field in reader.writer_schema["fields"] if (each := _nanos(field["type"]))}
        for record in reader:
            if nanos:
                for name, logical in nanos.items():
                    if isinstance(record[name], int):
                        record[name] = moment_text(record[name] // 1000, local=logical.startswith("local"))
            yield [record[name] for name in wanted]


def _nanos(schema: Any) -> str | None:
    """The logical type of moments that fastavro leaves numbers."""
    found = [each.get("logicalType", "") for each in _branches(schema) if isinstance(each, Mapping)]
    return next((each for each in found if each.endswith("timestamp-nanos")), None)


def _branches(schema: Any) -> list[Any]:
    return [each for each in schema if each != "null"] if isinstance(schema, list) else [schema]


def _type(schema: Any) -> DataType | None:
    """The type of a schema; None for bytes, unions of several types, and names of types that stand elsewhere."""
    branches = _branches(schema)
    if len(branches) != 1:
        return None
    (only,) = branches
    if not isinstance(only, Mapping):
        return Scalar(_PRIMITIVES[only]) if only in _PRIMITIVES else Scalar("string") if only == "string" else None
    logical = only.get("logicalType")
    if logical == "decimal" and only.get("precision", 0) <= MOST_DIGITS:
        return Decimal(only["precision"], only.get("scale", 0))
    if logical in _LOGICAL:
        return Scalar(_LOGICAL[logical])
    match only["type"]:
        case "enum":
            return Scalar("string")
        case "array":
            element = _type(only["items"])
            return Array(element) if element else None
        case "map":
            value = _type(only["values"])
            return Map(Scalar("string"), value) if value else None
        case "record":
            members = [(field["name"], _type(field["type"])) for field in only["fields"]]
            return Struct(tuple((name, type_) for name, type_ in members if type_))
        case other:
            return None if logical else _type(other)
