"""Files of formats whose values have types, written by the libraries that usually write them."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.parquet
import pyorc

from tests.support import REPOSITORY

__all__ = ["AVRO", "ORC", "PARQUET", "WRITERS", "avro", "orc", "parquet"]

Rows = Sequence[Mapping[str, Any]]
_MANY = 500
_WRITE = """
import pickle, sys
from tests.typed_files import orc_here
types, rows, options = pickle.load(sys.stdin.buffer)
sys.stdout.buffer.write(orc_here(types, rows, **options))
"""
PARQUET, AVRO, ORC = "parquet", "avro", "orc"
_PARQUET = {
    "int": pa.int32(),
    "bigint": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "string": pa.string(),
    "binary": pa.binary(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "timestamp_ntz": pa.timestamp("us"),
    "decimal": pa.decimal128(10, 2),
    "list": pa.list_(pa.int32()),
    "struct": pa.struct([("x", pa.int32()), ("day", pa.date32())]),
    "map": pa.map_(pa.string(), pa.int32()),
}
_AVRO: dict[str, Any] = {
    "bigint": "long",
    "binary": "bytes",
    "date": {"type": "int", "logicalType": "date"},
    "timestamp": {"type": "long", "logicalType": "timestamp-micros"},
    "timestamp_ntz": {"type": "long", "logicalType": "local-timestamp-micros"},
    "decimal": {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2},
    "list": {"type": "array", "items": "int"},
    "struct": {
        "type": "record",
        "name": "inner",
        "fields": [{"name": "x", "type": "int"}, {"name": "day", "type": {"type": "int", "logicalType": "date"}}],
    },
    "map": {"type": "map", "values": "int"},
}
_ORC = {
    "timestamp": "timestamp with local time zone",
    "timestamp_ntz": "timestamp",
    "decimal": "decimal(10,2)",
    "list": "array<int>",
    "struct": "struct<x:int,day:date>",
    "map": "map<string,int>",
}


def parquet(types: Mapping[str, Any], rows: Rows, **options: Any) -> bytes:
    """A Parquet file; types are names of this module or pyarrow's."""
    schema = pa.schema([(name, _PARQUET.get(type_, type_)) for name, type_ in types.items()])
    arrays = [pa.array([row.get(name) for row in rows], schema.field(name).type) for name in types]
    out = io.BytesIO()
    pyarrow.parquet.write_table(pa.table(arrays, schema=schema), out, **options)
    return out.getvalue()


def avro(types: Mapping[str, Any], rows: Rows, **options: Any) -> bytes:
    """An Avro file in which every field may be null; types are names of this module or Avro's."""
    fields = [
        {"name": name, "type": ["null", _AVRO.get(type_, type_) if isinstance(type_, str) else type_]}
        for name, type_ in types.items()
    ]
    out = io.BytesIO()
    schema = fastavro.parse_schema({"type": "record", "name": "row", "fields": fields})
    fastavro.writer(out, schema, [{name: row.get(name) for name in types} for row in rows], **options)
    return out.getvalue()


def orc(types: Mapping[str, Any], rows: Rows, **options: Any) -> bytes:
    """An ORC file; types are names of this module or ORC's. One of many columns is written by another process: the
    library reserves 5 MB a column, and a process that has reserved more than the machine has cannot start others."""
    if len(types) > _MANY:
        return subprocess.run(
            [sys.executable, "-c", _WRITE],
            cwd=REPOSITORY,
            input=pickle.dumps((dict(types), list(rows), options)),
            capture_output=True,
            check=True,
        ).stdout
    return orc_here(types, rows, **options)


def orc_here(types: Mapping[str, Any], rows: Rows, **options: Any) -> bytes:
    members = ",".join(f"`{name}`:{_ORC.get(type_, type_)}" for name, type_ in types.items())
    out = io.BytesIO()
    with pyorc.Writer(out, f"struct<{members}>", struct_repr=pyorc.StructRepr.DICT, **options) as writer:
        for row in rows:
            writer.write({name: row.get(name) for name in types})
    return out.getvalue()


WRITERS: dict[str, Callable[..., bytes]] = {PARQUET: parquet, AVRO: avro, ORC: orc}
ALL_TYPES = {
    "id": "bigint",
    "small": "int",
    "f": "float",
    "d": "double",
    "b": "boolean",
    "text": "string",
    "day": "date",
    "at": "timestamp",
    "plain": "timestamp_ntz",
    "amount": "decimal",
    "list": "list",
    "inner": "struct",
    "m": "map",
}
A_ROW = {
    "id": 1,
    "small": -7,
    "f": 0.5,
    "d": 0.1,
    "b": True,
    "text": 'a "b" ü\n',
    "day": date(2026, 1, 31),
    "at": datetime(2026, 1, 31, 12, 30, 0, 500000, UTC),
    "plain": datetime(2026, 1, 31, 12, 30),  # noqa: DTZ001
    "amount": Decimal("1200.50"),
    "list": [1, 2],
    "inner": {"x": 1, "day": date(2026, 1, 31)},
    "m": {"k": 1},
}
