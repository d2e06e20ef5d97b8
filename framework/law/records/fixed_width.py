"""Files whose fields have their places in the line, counted in characters after decoding.

Blanks at the end of a field are padding and no part of its value; a field of nothing but blanks is NULL. Empty lines
are no records. A line that ends before its last field is malformed, or with `short_rows: fill` has NULL in what it
lacks; what stands behind the last field is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

from framework.feed import Column, Feed, ShortRows
from framework.law.layout import Kind, Layout, Rejected, own_layout
from framework.law.records.record import Record
from framework.law.records.text import lines_of
from framework.law.records.totals import totalled

__all__ = ["FixedWidthRecords"]


class FixedWidthRecords:
    """See `RecordReader`."""

    kind = Kind.TEXT
    signature: bytes | None = None
    by_beginning = True

    def open(self, stream: BinaryIO, encoding: str, feed: Feed) -> tuple[Layout | Rejected, Record | None]:
        del stream, encoding
        return own_layout(feed, Kind.TEXT), None

    def records(self, stream: BinaryIO, encoding: str, feed: Feed, layout: Layout) -> Iterator[Record]:
        by_name = {column.name: column for column in feed.columns}
        columns = [by_name[name] for name, _ in layout.fields]
        lines = (line for line in lines_of(stream, encoding, feed) if line.no_row or line.raw.strip())
        taken = (line if line.no_row or line.fields is None else _taken_apart(line, columns, feed) for line in lines)
        return totalled(taken, feed, layout)


def _taken_apart(record: Record, columns: list[Column], feed: Feed) -> Record:
    line = record.raw
    needed = max((column.span.start + column.span.width - 1 for column in columns if column.span), default=0)
    if len(line) < needed and feed.source.short_rows is not ShortRows.FILL:
        return replace(record, fields=None, error=f"{len(line)} characters instead of {needed}")
    spans = (column.span for column in columns)
    return replace(record, fields=tuple((span.of(line).rstrip(" \t") or None) if span else None for span in spans))
