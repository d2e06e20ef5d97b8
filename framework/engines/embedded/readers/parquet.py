"""Parquet files as DuckDB reads them: the texts of their values, which are those of the law's table of conversions.

DuckDB reads values as they stand there, so nothing is asked of it afterwards but the number of rows. Files with types
that it may see otherwise than the law (nested ones, bytes, times of a day) are left to the law.
"""

from __future__ import annotations

from collections.abc import Sequence

from framework.engines.embedded.files import FileRead
from framework.engines.embedded.readers.bytes import Told
from framework.engines.embedded.readers.scan import file_position, literal_path
from framework.feed import Feed
from framework.law.dialects import DUCKDB
from framework.law.layout import Field, Layout
from framework.law.records.parquet import number_of_rows
from framework.opening import Compression, Piece
from framework.types import INTEGERS, Decimal, Scalar

__all__ = ["ParquetReader"]

_AS_THEY_ARE = (*INTEGERS, "boolean", "date", "string", "timestamp_ntz")


class ParquetReader:
    """See `FastReader`."""

    def can_read(self, feed: Feed, piece: Piece) -> bool:
        layout = piece.layout
        if not isinstance(layout, Layout) or piece.compression is not Compression.NONE:
            return False
        wanted = {name: layout.record[index] for name, index in layout.fields}
        doubles = {column.name for column in feed.columns if column.type == Scalar("double")}
        return all(_text("", layout.record[index]) is not None for index in layout.used) and not any(
            field.type == Scalar("float") and name in doubles for name, field in wanted.items()
        )

    def unpack_first(self, feed: Feed, piece: Piece) -> None:
        """Parquet files are not packed as a whole."""

    def source(
        self,
        feed: Feed,
        layout: Layout,
        files: Sequence[tuple[int, str]],
        compression: Compression,
        pieces: Sequence[Piece] = (),
    ) -> str:
        del compression
        longest = min((_longest(feed, piece) for piece in pieces), default=None)
        used = [layout.record[index] for index in layout.used]
        texts = [_text(_guarded(DUCKDB.name(field.name), field, longest), field) for field in used]
        fields = [f"{text} AS f{index}" for index, text in zip(layout.used, texts, strict=True)]
        paths = ", ".join(DUCKDB.text(literal_path(path)) for _, path in files)
        named = ", filename = '_path'" if len(files) > 1 else ""
        listed = ", ".join([*fields, f"{file_position(files)} AS _file", "0 AS _bytes", "0 AS _quotes"])
        return f"SELECT {listed} FROM read_parquet([{paths}], hive_partitioning = false{named})"

    def read_as_the_law(self, feed: Feed, file: FileRead, told: Told) -> bool:
        """When it gave as many rows as the file says that it has."""
        del feed
        with file.piece.stream() as stream:
            return told.rows == number_of_rows(stream)


def _longest(feed: Feed, piece: Piece) -> int:
    """How long the texts of a file may be, so that all of one column are no more than the file may become: each may
    stand once in the file and in any number of its rows."""
    most, _ = feed.source.limits.most_unpacked(piece.source.file.size)
    with piece.stream() as stream:
        return most // max(1, number_of_rows(stream))


def _guarded(value: str, field: Field, longest: int | None) -> str:
    """SQL of a value that is an error, after which the law reads the file, where it is a longer text than that."""
    if longest is None or field.type != Scalar("string"):
        return value
    return f"CASE WHEN strlen({value}) > {longest} THEN error('a long text') ELSE {value} END"


def _text(value: str, field: Field) -> str | None:
    """SQL of the text of a value; None where DuckDB's would be another one than the law's."""
    match field.type:
        case Decimal():
            return DUCKDB.as_text(value)
        case Scalar("timestamp"):  # of INT96 DuckDB makes local times
            return f"CAST(make_timestamp(epoch_us({value})) AS VARCHAR) || '+00'"
        case Scalar(name) if name in _AS_THEY_ARE:
            return DUCKDB.as_text(value)
        case Scalar("float" | "double"):
            whole = f"{value} = trunc({value}) AND abs({value}) < 9223372036854775808"
            special = (
                f"WHEN isnan({value}) THEN 'NaN' WHEN isinf({value}) THEN if({value} > 0, 'Infinity', '-Infinity')"
            )
            digits = f"if({value} < 0, '-', '') || CAST(CAST(abs({value}) AS HUGEINT) AS VARCHAR) || '.0'"
            plain = f"WHEN {value} = 0 THEN CAST({value} AS VARCHAR)"  # of the zeros one is negative
            others = f"WHEN {whole} THEN {digits} ELSE CAST({value} AS VARCHAR)"
            return f"CASE WHEN {value} IS NULL THEN NULL {special} {plain} {others} END"
        case _:
            return None
