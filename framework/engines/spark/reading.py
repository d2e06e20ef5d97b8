"""Reading: the batch's files become DataFrames of records, from which rows are made by SQL.

Large CSV files in UTF-8 whose records are lines are read by Spark, in parallel (`lines`). All others are read
by `framework.law.records` on the driver and handed to Spark as Arrow tables: small files, for which a Spark job
costs more than it saves, and the rarer ways to write a file (JSON, other encodings, compression, comments,
line breaks in quotes, nested values).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC
from typing import Any

from framework.engine import SourceFile
from framework.engines.sources import fetch_all, records_of, unreadable
from framework.engines.spark.files import FileRead, Frame, by_layout, json_object, may_be_lines, open_file
from framework.engines.spark.lines import Lines
from framework.feed import Column, Feed, Format
from framework.law.layout import Layout
from framework.law.staging import is_nested
from framework.law.values import parse
from framework.types import Array, DataType, Decimal, Map, Scalar, Struct

__all__ = ["Reader"]

_NOT_JSON = "the line is not a JSON object"
_CHUNK = 1 << 16
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


class Reader:
    """Reads one batch. `files` tells how each was read, and `frames` has their records: by a first look until
    `look_again`."""

    def __init__(self, spark: Any, feed: Feed, sources: Sequence[SourceFile]) -> None:
        self._spark, self._feed, self._sources = spark, feed, sources
        self._csv = feed.source.format is Format.CSV
        by_spark = [may_be_lines(feed, source) for source in sources]
        fetch_all([source for source, large in zip(sources, by_spark, strict=True) if not large])
        self.files = [open_file(feed, index, source, by_spark=by_spark[index]) for index, source in enumerate(sources)]
        groups = by_layout(file for file in self.files if file.by_spark)
        self._lines = [Lines(spark, feed, layout, group) for layout, group in groups]
        self._by_the_law: list[Frame] = []
        for layout, group in by_layout(file for file in self.files if not file.by_spark):
            self._read_by_the_law(layout, group)

    @property
    def frames(self) -> list[Frame]:
        return [*(lines.frame for lines in self._lines), *self._by_the_law]

    def look_again(self, clean: Mapping[str, int]) -> bool:
        """Look again at files of which the first look, whose clean rows (their number by file) have been written,
        could not tell all. Whether there are rows among them that it did not give, or gave wrongly."""
        otherwise = False
        for lines in self._lines:
            held = lines.first_look_holds()
            if held and lines.first_look_tells_all(clean):
                continue
            for index in lines.survey():
                self.files[index] = open_file(self._feed, index, self._sources[index], by_spark=False)
                for layout, group in by_layout([self.files[index]]):
                    self._read_by_the_law(layout, group)
            otherwise = otherwise or not held
        return otherwise

    def _read_by_the_law(self, layout: Layout, files: Sequence[FileRead]) -> None:
        import pyarrow as pa

        nested = [(index, column) for index, column in enumerate(self._feed.columns) if is_nested(column)]
        schema = pa.schema(
            [("_file", pa.int32()), ("_line", pa.int64()), ("_record", pa.string()), ("_why", pa.string())]
            + [(f"f{index}", pa.string()) for index in range(len(layout.names))]
            + [(f"{kind}{index}", _arrow(column.type)) for index, column in nested for kind in "nd"]
        )
        batches = []
        for file in files:
            try:
                for rows in _chunks(self._rows(file, layout, nested)):
                    file.read += len(rows)
                    columns = zip(*rows, strict=True)
                    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
                    batches.append(pa.record_batch(arrays, schema=schema))
            except (OSError, EOFError) as error:
                file.rejected = unreadable(error)
                batches = [batch for batch in batches if batch.column(0)[0].as_py() != file.index]
        if batches:
            records = self._spark.createDataFrame(pa.Table.from_batches(batches, schema))
            self._by_the_law.append(Frame(layout, records.selectExpr("*", "0L AS _block")))

    def _rows(
        self, file: FileRead, layout: Layout, nested: Sequence[tuple[int, Column]]
    ) -> Iterator[tuple[object, ...]]:
        width, at = len(layout.names), dict(layout.fields)
        none: tuple[str | None, ...] = (None,) * width
        defaults = {index: self._nested(column, column.default) for index, column in nested}
        for record in records_of(file.source.location, file.encoding, self._feed, width):
            fields, why = record.fields, record.error
            if not self._csv and fields is not None:
                found = json_object(record)
                fields = None if found is None else tuple(found.get(name) for name in layout.names)
                why = _NOT_JSON if found is None else None
            values: list[object] = []
            for index, column in nested:
                field = at.get(column.name)
                value = fields[field] if fields is not None and field is not None else None
                values += [self._nested(column, value), defaults[index]]
            yield (file.index, record.line, record.raw, why, *(none if fields is None else fields), *values)

    def _nested(self, column: Column, value: str | None) -> object:
        """The value of a JSON text; None for what the type does not accept."""
        if value is None:
            return None
        try:
            return _for_arrow(parse(value, column.type, zone=self._feed.source.timezone), column.type)
        except (ValueError, RecursionError):
            return None


def _chunks(rows: Iterator[tuple[object, ...]]) -> Iterator[list[tuple[object, ...]]]:
    chunk = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


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
