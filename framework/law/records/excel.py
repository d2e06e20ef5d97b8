"""Excel workbooks (.xlsx, .xlsm, .xls), read by calamine: one sheet of each.

The header is the first row, behind `skip_lines`, or with `until_header` the first one that names the key columns. Rows
without any value are no records. A cell is the text of its value: whole numbers without their `.0`, dates and times as
yyyy-MM-dd and yyyy-MM-dd HH:mm:ss, formulas as their values, as the workbook holds them; an error (#N/A) is NULL. What
looks like a date in Excel and is a number with that format is a date.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from framework.feed import Feed
from framework.law.layout import Kind, Layout, Rejected, csv_layout, has_keys, key_names, with_numbers
from framework.law.records.excel_apart import rows_apart
from framework.law.records.excel_cells import cell_text, sheet_rows
from framework.law.records.excel_guard import guard_workbook
from framework.law.records.record import Record
from framework.types import Scalar

__all__ = ["ExcelRecords"]

_SOUGHT = 1000
_STRING = Scalar("string")


class ExcelRecords:
    """See `RecordReader`."""

    kind = Kind.TEXT
    signature: bytes | None = rb"PK\x03\x04|\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    by_beginning = False

    def open(self, stream: BinaryIO, encoding: str, feed: Feed) -> tuple[Layout | Rejected, Record | None]:
        del encoding
        rows = _rows(stream, feed)
        if isinstance(rows, Rejected):
            return rows, None
        found = _header(rows, feed)
        if found is None:
            wanted = " and ".join(map(repr, key_names(feed)))
            what = f"no row with the columns {wanted} (until_header)" if feed.source.until_header else "no header"
            return Rejected(f"there is {what} in the sheet"), None
        line, cells = found
        names = [cell_text(cell) or "" for cell in cells]
        layout = csv_layout(feed, names)
        header = Record(line, tuple(names), json.dumps(names, ensure_ascii=False))
        if isinstance(layout, Layout):
            layout = with_numbers(layout, _numbers_for_texts(rows, layout, feed))
        return layout, header

    def records(self, stream: BinaryIO, encoding: str, feed: Feed, layout: Layout) -> Iterator[Record]:
        del encoding
        rows = _rows(stream, feed)
        if isinstance(rows, Rejected) or _header(rows, feed) is None:
            return
        width = len(layout.record)
        for line, cells in rows:
            fields = tuple(cell_text(cell) for cell in cells[:width])
            if any(field is not None for field in fields):
                named = dict(zip(layout.names, fields, strict=True))
                yield Record(line, fields, json.dumps(named, ensure_ascii=False))


def _rows(stream: BinaryIO, feed: Feed) -> Iterator[tuple[int, Sequence[Any]]] | Rejected:
    """The rows of the feed's sheet with their numbers. Raises BrokenFile and MissingDependency."""
    stream.seek(0)
    content, wanted = stream.read(), feed.source.sheet
    if not content.startswith(b"PK"):
        return rows_apart(content, wanted, feed.source.limits)
    guard_workbook(content, feed.source.limits)
    return sheet_rows(content, wanted)


def _header(rows: Iterator[tuple[int, Sequence[Any]]], feed: Feed) -> tuple[int, Sequence[Any]] | None:
    """The row that is the header, behind which `rows` then goes on."""
    for line, cells in rows:
        if line <= feed.source.skip_lines or not any(cell_text(cell) for cell in cells):
            continue
        if not feed.source.until_header or has_keys(feed, [cell_text(cell) or "" for cell in cells]):
            return line, cells
        if line >= _SOUGHT:
            return None
    return None


def _numbers_for_texts(rows: Iterator[tuple[int, Sequence[Any]]], layout: Layout, feed: Feed) -> tuple[str, ...]:
    """The columns of texts in which Excel has numbers."""
    types = {column.name: column.type for column in feed.columns}
    wanted = {index: name for name, index in layout.fields if types[name] == _STRING}
    found: dict[str, None] = {}
    for _, cells in rows:
        for index, name in wanted.items():
            if isinstance(cells[index], int | float) and not isinstance(cells[index], bool):
                found[name] = None
    return tuple(found)
