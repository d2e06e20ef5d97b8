"""Parquet files, read by pyarrow. The law; DuckDB and Spark read large ones faster."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from framework.law.conversions import moment_text
from framework.law.layout import Rejected
from framework.law.records.parquet_footer import chunks
from framework.law.records.parquet_pages import counted
from framework.law.records.record import AT_ONCE, BrokenFile, at_once
from framework.law.records.typed import Member
from framework.machine import library
from framework.names import Limits
from framework.types import MOST_DIGITS, Array, DataType, Decimal, Map, Scalar, Struct

__all__ = ["ParquetFile", "number_of_rows"]

_ROWS, _BYTES = 1 << 14, 1 << 24
_MICROS = {"s": (1_000_000, 1), "ms": (1_000, 1), "us": (1, 1), "ns": (1, 1000)}
"""By what a unit's number is multiplied and divided."""
_SCALARS = {
    "bool": "boolean",
    "int8": "tinyint",
    "int16": "smallint",
    "int32": "int",
    "int64": "bigint",
    "uint8": "smallint",
    "uint16": "int",
    "uint32": "bigint",
    "halffloat": "float",
    "float": "float",
    "double": "double",
    "string": "string",
    "large_string": "string",
    "date32[day]": "date",
    "date64[ms]": "date",
}


class ParquetFile:
    """See `TypedFile`. INT96, which is how Spark and Hive have written moments, is one in UTC."""

    what, signature = "Parquet", rb"PAR1"

    def schema(self, stream: BinaryIO, limits: Limits) -> Sequence[Member] | Rejected:
        file = _opened(stream)
        _guard(stream, limits)
        instants = _int96(file)
        fields = list(file.schema_arrow)
        return [
            Member(field.name, Scalar("timestamp") if field.name in instants else _type(field.type)) for field in fields
        ]

    def rows(self, stream: BinaryIO, wanted: Sequence[str]) -> Iterator[Sequence[Any]]:
        file = _opened(stream)
        instants = _int96(file)
        for batch in file.iter_batches(_rows_at_once(file.metadata), columns=list(wanted)):
            if not wanted:
                yield from ([] for _ in range(batch.num_rows))
                continue
            columns = [_values(batch.column(name), name in instants) for name in wanted]
            yield from zip(*columns, strict=True)


def number_of_rows(stream: BinaryIO) -> int:
    """How many rows a file says that it has."""
    return int(library("pyarrow.parquet", "parquet").ParquetFile(stream).metadata.num_rows)


def _opened(stream: BinaryIO) -> Any:
    """Texts are read as they stand in the file's dictionaries: written out, one of them could be there a billion
    times."""
    parquet, instants = library("pyarrow.parquet", "parquet"), {"coerce_int96_timestamp_unit": "us"}
    columns = parquet.ParquetFile(stream, **instants).schema
    texts = [column.path for column in map(columns.column, range(len(columns))) if column.physical_type == "BYTE_ARRAY"]
    return parquet.ParquetFile(stream, read_dictionary=texts, **instants)


def _guard(stream: BinaryIO, limits: Limits) -> None:
    """Raises BrokenFile for a file with a group of rows that takes more memory than it may, since all of one is
    unpacked, or with more values than its bytes can be: one that stands a billion times, as in a list, takes a few
    bytes. The library is not asked for what the footer says of columns: where that is damaged, it ends the process."""
    size, values = stream.seek(0, os.SEEK_END), 0
    for group in counted(stream, chunks(stream)):
        unpacked, values = sum(chunk.unpacked for chunk in group), values + sum(chunk.values for chunk in group)
        if unpacked > at_once(limits, size):
            raise BrokenFile(f"a group of its rows has {unpacked} bytes, {AT_ONCE}")
    if values > max(limits.record // 2, size * limits.ratio // 10):
        raise BrokenFile(f"its {size} bytes are said to be {values} values, more than a tenth of limits.ratio for each")


def _rows_at_once(metadata: Any) -> int:
    """How many rows are read together: fewer where they are large."""
    size = sum(metadata.row_group(index).total_byte_size for index in range(metadata.num_row_groups))
    fit: int = _BYTES * metadata.num_rows // (size or 1)
    return max(1, min(_ROWS, fit))


def _int96(file: Any) -> set[str]:
    columns = (file.schema.column(index) for index in range(len(file.schema)))
    return {column.path for column in columns if column.physical_type == "INT96"}


def _values(array: Any, is_instant: bool) -> list[Any]:
    """The values of a column; of moments their texts, since Python's have fewer years."""
    pa = library("pyarrow", "parquet")
    type_ = array.type
    if pa.types.is_dictionary(type_):
        values = _values(array.dictionary, is_instant)
        return [None if at is None else values[at] for at in array.indices.to_pylist()]
    if pa.types.is_timestamp(type_):
        times, by = _MICROS[type_.unit]
        local = type_.tz is None and not is_instant
        numbers = array.cast(pa.int64()).to_pylist()
        return [number if number is None else moment_text(number * times // by, local=local) for number in numbers]
    if pa.types.is_date(type_):
        days = array.cast(pa.date32()).cast(pa.int32()).to_pylist()
        return [day if day is None else moment_text(day * 86_400_000_000, local=True)[:-9] for day in days]
    if pa.types.is_time(type_):
        return list(array.cast(pa.string()).to_pylist())
    return list(array.to_pylist(maps_as_pydicts="lossy"))


def _type(type_: Any) -> DataType | None:
    pa = library("pyarrow", "parquet")
    if str(type_) in _SCALARS:
        return Scalar(_SCALARS[str(type_)])
    if pa.types.is_dictionary(type_):
        return _type(type_.value_type)
    if pa.types.is_decimal(type_) and type_.precision <= MOST_DIGITS and type_.scale >= 0:
        return Decimal(type_.precision, type_.scale)
    if pa.types.is_timestamp(type_):
        return Scalar("timestamp" if type_.tz else "timestamp_ntz")
    if pa.types.is_list(type_) or pa.types.is_large_list(type_):
        element = _type(type_.value_type)
        return Array(element) if element else None
    if pa.types.is_map(type_):
        key, value = _type(type_.key_type), _type(type_.item_type)
        return Map(key, value) if key and value else None
    if pa.types.is_struct(type_):
        return Struct(tuple((field.name, found) for field in type_ if (found := _type(field.type))))
    return None
