"""Reading: the batch's files become DataFrames of records, from which rows are made by SQL.

Large files for which there is a fast reader (`FAST`) are read by Spark, in parallel. All others are read by
`framework.law.records` on the driver and handed to Spark as Arrow tables: small files, for which a Spark job
costs more than it saves, and the rarer ways to write a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC
from typing import Any

from framework.engines.spark.files import FileRead, Frame
from framework.engines.spark.lines import Lines
from framework.feed import Column, Feed, Format
from framework.law.layout import Layout
from framework.law.staging import is_nested
from framework.law.values import parse
from framework.opening import BROKEN_FILE, Piece, grouped, unreadable
from framework.types import Array, DataType, Decimal, Map, Scalar, Struct

__all__ = ["FAST", "Reader"]

FAST: dict[Format, type[Lines]] = {Format.CSV: Lines}
"""Spark's own readers. What they cannot read, or turn out to have read otherwise than the law, the law reads."""
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

    def __init__(self, spark: Any, feed: Feed, pieces: Sequence[Piece]) -> None:
        self._spark, self._feed = spark, feed
        self.files = [FileRead(piece) for piece in pieces]
        fast = FAST.get(feed.source.format)
        groups = self._by_layout(file for file in self.files if file.piece.in_place)
        self._lines = [] if fast is None else [fast(spark, feed, group[0].layout, group) for group in groups]
        self._by_the_law: list[Frame] = []
        for group in self._by_layout(file for file in self.files if not file.piece.in_place):
            self._read_by_the_law(group[0].layout, group)

    def _by_layout(self, files: Iterable[FileRead]) -> list[list[FileRead]]:
        return grouped((file for file in files if file.rejected is None), lambda file: file.layout)

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
                self.files[index].open_by_the_law(self._feed)
                self.files[index].read = 0
                for group in self._by_layout([self.files[index]]):
                    self._read_by_the_law(group[0].layout, group)
            otherwise = otherwise or not held
        return otherwise

    def _read_by_the_law(self, layout: Layout, files: Sequence[FileRead]) -> None:
        import pyarrow as pa

        nested = [(index, column) for index, column in enumerate(self._feed.columns) if is_nested(column)]
        schema = pa.schema(
            [("_file", pa.int32()), ("_block", pa.int64()), ("_line", pa.int64())]
            + [("_record", pa.string()), ("_why", pa.string())]
            + [(f"f{index}", pa.string()) for index in layout.used]
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
            except BROKEN_FILE as error:
                file.rejected = unreadable(error)
                batches = [batch for batch in batches if batch.column(0)[0].as_py() != file.index]
        if batches:
            self._by_the_law.append(Frame(layout, self._spark.createDataFrame(pa.Table.from_batches(batches, schema))))

    def _rows(
        self, file: FileRead, layout: Layout, nested: Sequence[tuple[int, Column]]
    ) -> Iterator[tuple[object, ...]]:
        """A block of each record's own keeps the order of those in one line."""
        at = dict(layout.fields)
        used = layout.used
        defaults = {index: self._nested(column, column.default) for index, column in nested}
        for number, record in enumerate(file.records(self._feed)):
            fields = record.fields
            values: list[object] = []
            for index, column in nested:
                field = at.get(column.name)
                value = fields[field] if fields is not None and field is not None else None
                values += [self._nested(column, value), defaults[index]]
            yield (
                file.index,
                number,
                record.line,
                record.raw,
                record.error,
                *(None if fields is None else fields[field] for field in used),
                *values,
            )

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
