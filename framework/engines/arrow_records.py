"""Records by the law as Arrow batches: what is made of a file where Spark is to have its rows, on the driver or on an
executor. Nothing here needs Spark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC
from typing import Any

from framework.feed import Column, Feed
from framework.law.layout import Layout
from framework.law.records import Record
from framework.law.values import parse
from framework.opening import FileRead
from framework.types import Array, DataType, Decimal, Map, Scalar, Struct

__all__ = ["file_batches", "nested_columns", "record_batches", "record_schema"]

_ROWS = 1 << 14
"""Records of a batch, unless their texts are long."""
_CHARACTERS = 1 << 24
_ARROW_NAMES = {
    "tinyint": "int8",
    "smallint": "int16",
    "int": "int32",
    "bigint": "int64",
    "float": "float32",
    "double": "float64",
    "boolean": "bool_",
    "date": "date32",
}


def nested_columns(feed: Feed) -> list[tuple[int, Column]]:
    """The columns whose values SQL does not make of their texts, with their positions."""
    columns = enumerate(feed.columns)
    return [(index, column) for index, column in columns if isinstance(column.type, Array | Map | Struct)]


def record_schema(feed: Feed, layout: Layout) -> Any:
    """The Arrow schema of a `Frame`'s records: those of files of one layout."""
    import pyarrow as pa

    return pa.schema(
        [("_file", pa.int32()), ("_block", pa.int64()), ("_line", pa.int64())]
        + [("_record", pa.string()), ("_why", pa.string())]
        + [(f"f{index}", pa.string()) for index in layout.used]
        + [(f"{kind}{index}", _arrow(column.type)) for index, column in nested_columns(feed) for kind in "nd"]
    )


def file_batches(file: FileRead, feed: Feed, schema: Any) -> Iterator[Any]:
    """A file's records; a block of each record's own keeps the order of those in one line. Raises BROKEN_FILE and
    SetAside."""
    records = ((file.index, number, record) for number, record in enumerate(file.records(feed)))
    return record_batches(records, feed, file.layout, schema)


Placed = tuple[int, int, Record]
"""A record with its file's position and its block."""


def record_batches(records: Iterable[Placed], feed: Feed, layout: Layout, schema: Any) -> Iterator[Any]:
    """Records of one layout."""
    import pyarrow as pa

    for rows in _chunks(_rows(records, feed, layout)):
        columns = zip(*rows, strict=True)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
        yield pa.record_batch(arrays, schema=schema)


def _chunks(rows: Iterator[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    chunk, size = [], 0
    for row in rows:
        chunk.append(row)
        size += len(row[3])  # of the record's text
        if len(chunk) == _ROWS or size > _CHARACTERS:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _rows(records: Iterable[Placed], feed: Feed, layout: Layout) -> Iterator[tuple[Any, ...]]:
    nested, at, used = nested_columns(feed), dict(layout.fields), layout.used
    zone = feed.source.timezone
    places = [(column.type, at.get(column.name), _nested(column.default, column.type, zone)) for _, column in nested]
    nothing = (None,) * len(used)
    whole = used == list(range(len(layout.record)))
    for index, block, record in records:
        fields = record.fields
        if fields is None:
            texts: Sequence[str | None] = nothing
        else:
            texts = fields if whole else [fields[field] for field in used]
        row = (index, block, record.line, record.raw, record.error, *texts)
        if places:
            values: list[Any] = []
            for type_, place, default in places:
                value = None if fields is None or place is None else fields[place]
                values += [_nested(value, type_, zone), default]
            row = (*row, *values)
        yield row


def _nested(value: str | None, type_: DataType, zone: str) -> Any:
    """The value of a JSON text; None for what the type does not accept."""
    if value is None:
        return None
    try:
        return _for_arrow(parse(value, type_, zone=zone), type_)
    except (ValueError, RecursionError):
        return None


def _arrow(type_: DataType) -> Any:
    import pyarrow as pa

    match type_:
        case Array(element):
            return pa.list_(_arrow(element))
        case Map(key, value):
            return pa.map_(_arrow(key), _arrow(value))
        case Struct(members):
            return pa.struct([(name, _arrow(member)) for name, member in members])
        case Decimal(precision, scale):
            return pa.decimal128(precision, scale)
        case Scalar("timestamp"):
            return pa.timestamp("us", tz="UTC")
        case Scalar("timestamp_ntz"):
            return pa.timestamp("us")
        case Scalar(name):
            return getattr(pa, _ARROW_NAMES.get(name, name))()


def _for_arrow(value: Any, type_: DataType) -> Any:
    """The value with maps as lists of pairs and moments with their zone, as Arrow takes them."""
    if value is None:
        return None
    match type_:
        case Array(element):
            return [_for_arrow(item, element) for item in value]
        case Map(key, member):
            return [(_for_arrow(name, key), _for_arrow(item, member)) for name, item in value.items()]
        case Struct(members):
            return {name: _for_arrow(value[name], member) for name, member in members}
        case Scalar("timestamp"):
            return value if value.tzinfo else value.replace(tzinfo=UTC)
    return value
