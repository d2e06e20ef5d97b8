"""Reading: the batch's files become DataFrames of records, from which rows are made by SQL.

Large CSV files in UTF-8 whose records are lines (`_may_be_lines`, then `_survey`) are read by Spark, in
parallel. All others are read by `framework.records` on the driver and handed to Spark as Arrow tables:
small files, for which a Spark job costs more than it saves, and the rarer ways to write a file (JSON,
other encodings, compression, comments, line breaks in quotes, nested values).

Every DataFrame has `_file` (the file's position in the batch), `_line`, `_record` (the raw text),
`_why` (why it is no record, or NULL), and the fields f0, f1, … of its files' common layout.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any, BinaryIO

from framework.engine import SourceFile
from framework.engines.sources import choose_encoding, fetch_all, header_of, opened, records_of, unreadable, unusable
from framework.engines.spark.session import translated
from framework.engines.spark.sql import is_nested, is_open, line_field, line_fields, line_problem, text
from framework.feed import Column, Feed, Format
from framework.layout import Layout, Rejected, csv_layout, json_layout
from framework.records import Record
from framework.types import Array, DataType, Decimal, Map, Scalar, Struct
from framework.values import json_fields, parse

__all__ = ["FileRead", "Frame", "Reader"]

LINES_FROM = 8 << 20
"""Bytes from which a file is read by Spark itself."""
_PLAIN_PATH = re.compile(r"(gs://)?[A-Za-z0-9_./=+@-]+")
"""Paths that mean the same as a path, a Hadoop glob and a URI."""
_NOT_JSON = "the line is not a JSON object"
_CHUNK = 1 << 16
_HEADER = 1 << 20
"""Bytes in which the header of a file that Spark reads must stand."""
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


@dataclass(slots=True)
class FileRead:
    """How one file of the batch was read: its layout and number of records, or why it is rejected."""

    index: int
    source: SourceFile
    encoding: str = "utf-8"
    layout: Layout | None = None
    rejected: str | None = None
    read: int = 0
    by_spark: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """The records of files of one layout."""

    layout: Layout
    data: Any


class Reader:
    """Reads one batch; `frames` are then its records."""

    def __init__(self, spark: Any, feed: Feed) -> None:
        self._spark, self._feed = spark, feed
        self._csv = feed.source.format is Format.CSV
        self.frames: list[Frame] = []

    def read(self, sources: Sequence[SourceFile]) -> list[FileRead]:
        """Read all files; one that cannot be read comes back with the reason and leaves no records."""
        large = [self._may_be_lines(source) for source in sources]
        fetch_all([source for source, by_spark in zip(sources, large, strict=True) if not by_spark])
        files = [self._open(index, source, by_spark=large[index]) for index, source in enumerate(sources)]
        for layout, group in _groups(file for file in files if file.by_spark):
            for odd in self._read_lines(layout, group):
                files[odd] = self._open(odd, sources[odd], by_spark=False)
        for layout, group in _groups(file for file in files if not file.by_spark):
            self._read_by_the_law(layout, group)
        return files

    # Before the rows: encoding and layout

    def _open(self, index: int, source: SourceFile, *, by_spark: bool) -> FileRead:
        file = FileRead(index, source, by_spark=by_spark)
        try:
            file.rejected = unusable(source.file)
            if file.rejected is not None:
                return file
            if not by_spark:
                file.encoding = choose_encoding(source.location, self._feed.source.encodings)
            layout = self._csv_layout(file) if self._csv else self._json_layout(file)
            if isinstance(layout, Rejected):
                file.rejected = layout.reason
                return file
            file.layout = layout
        except UnicodeError as error:
            file.rejected = str(error)
        except (OSError, EOFError) as error:
            file.rejected = unreadable(error)
        return file

    def _csv_layout(self, file: FileRead) -> Layout | Rejected:
        options = self._feed.source.csv
        with self._stream(file) as stream:
            header = header_of(stream, file.encoding, options)
        if header is None:
            return Rejected("the file has no header" if options.header else "the file has no records")
        return csv_layout(self._feed, header if options.header else None)

    def _json_layout(self, file: FileRead) -> Layout | Rejected:
        keys: dict[str, None] = {}
        objects = 0
        for record in records_of(file.source.location, file.encoding, self._feed, 0):
            found = _object(record)
            if found is not None:
                objects += 1
                keys |= dict.fromkeys(found)
        return json_layout(self._feed, list(keys)) if objects else Layout((), ())

    def _stream(self, file: FileRead) -> BinaryIO:
        return io.BytesIO(file.source.beginning(_HEADER)) if file.by_spark else opened(file.source.location)

    def _may_be_lines(self, source: SourceFile) -> bool:
        """Whether Spark can read the file, as far as can be told without looking at every line."""
        options, path = self._feed.source.csv, source.file.path
        first_encoding = codecs.lookup(self._feed.source.encodings[0]).name
        if not self._csv or source.file.size < LINES_FROM or first_encoding != "utf-8":
            return False
        if options.comment or options.escape != options.quote or path.lower().endswith(".gz"):
            return False
        if any(is_nested(column) for column in self._feed.columns) or not _PLAIN_PATH.fullmatch(path):
            return False
        return options.header or not source.beginning(3).startswith(codecs.BOM_UTF8)

    # By Spark

    def _read_lines(self, layout: Layout, files: Sequence[FileRead]) -> set[int]:
        """Add the frame of files whose records are lines; the indexes of those with other records."""
        options, paths = self._feed.source.csv, [file.source.in_place for file in files]
        indexes = ", ".join(f"{text(path)}, {file.index}" for path, file in zip(paths, files, strict=True))
        path = "regexp_replace(_metadata.file_path, '^(file|dbfs):/+', '/')"
        lines = self._spark.read.text(paths).selectExpr(
            f"map({indexes})[{path}] AS _file" if len(files) > 1 else f"{files[0].index} AS _file",
            "_metadata.file_block_start AS _start",
            "monotonically_increasing_id() AS _id",
            "value",
        )
        with translated(f"feed {self._feed.name}"):
            blocks = self._survey(lines)
        odd = {block["_file"] for block in blocks if block["odd"]}
        sound = [file for file in files if file.index not in odd]
        headers: list[int] = []
        before: list[str] = []
        for file in files:
            its = sorted((block for block in blocks if block["_file"] == file.index), key=lambda block: block["_start"])
            if file.index not in odd:
                file.read = sum(block["records"] for block in its) - options.header
                headers += [block["header"] for block in its if block["header"] is not None][: int(options.header)]
            count = 1
            for block in its:
                before.append(f"'{file.index}:{block['_start']}', {count - block['first']}")
                count += block["lines"]
        if not sound:
            return odd
        keep = f"_file IN ({', '.join(str(file.index) for file in sound)}) AND value <> ''"
        if headers:
            keep += f" AND _id NOT IN ({', '.join(map(str, headers))})"
        line = f"_id + map({', '.join(before)})[concat(_file, ':', _start)]" if before else "_id"
        width = len(layout.names)
        fields = lines.where(keep).selectExpr("_file", f"{line} AS _line", "value", f"{line_fields(options)} AS fields")
        numbered = [f"{line_field(options, index)} AS f{index}" for index in range(width)]
        records = fields.selectExpr(
            "_file", "_line", "value AS _record", f"{line_problem(options, width)} AS _why", *numbered
        )
        self.frames.append(Frame(layout, records))
        return odd

    def _survey(self, lines: Any) -> list[Any]:
        """What the lines are, by file and block (as Spark splits files): how many of them, their first id, the
        first record's id, how many records, and whether a line is not for Spark."""
        odd = f"NOT is_valid_utf8(value) OR {is_open(self._feed.source.csv)}"
        found: list[Any] = (
            lines.groupBy("_file", "_start")
            .agg(
                *_exprs(
                    lines="count(*)",
                    first="min(_id)",
                    records="count_if(value <> '')",
                    header="min(CASE WHEN value <> '' THEN _id END)",
                    odd=f"bool_or({odd})",
                )
            )
            .collect()
        )
        return found

    # By the law

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
            self.frames.append(Frame(layout, self._spark.createDataFrame(pa.Table.from_batches(batches, schema))))

    def _rows(
        self, file: FileRead, layout: Layout, nested: Sequence[tuple[int, Column]]
    ) -> Iterator[tuple[object, ...]]:
        width, at = len(layout.names), dict(layout.fields)
        none: tuple[str | None, ...] = (None,) * width
        defaults = {index: self._nested(column, column.default) for index, column in nested}
        for record in records_of(file.source.location, file.encoding, self._feed, width):
            fields, why = record.fields, record.error
            if not self._csv and fields is not None:
                found = _object(record)
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


def _exprs(**named: str) -> list[Any]:
    from pyspark.sql import functions

    return [functions.expr(sql).alias(name) for name, sql in named.items()]


def _object(record: Record) -> dict[str, str | None] | None:
    """The members of a record that is a JSON object, each as text."""
    return json_fields(record.fields[0] or "") if record.fields else None


def _groups(files: Iterable[FileRead]) -> Iterator[tuple[Layout, list[FileRead]]]:
    """Files that have a layout in common, in batch order."""
    groups: dict[Layout, list[FileRead]] = {}
    for file in files:
        if file.layout is not None and file.rejected is None:
            groups.setdefault(file.layout, []).append(file)
    yield from groups.items()


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
