"""Files of plain lines: each line is a record with one field, `value`. Lines end with LF, CRLF or CR; an empty line is
a record as well, whose value is an empty text."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import BinaryIO

from framework.feed import Feed
from framework.law.layout import Kind, Layout, Rejected, named_layout
from framework.law.records.lines import Lines, TooLong
from framework.law.records.record import NOT_VALID, Record, decoded, shown_raw, undecodable
from framework.law.records.totals import totalled

__all__ = ["TextRecords", "lines_of"]


class TextRecords:
    """See `RecordReader`."""

    kind = Kind.TEXT
    signature: bytes | None = None
    by_beginning = True

    def open(self, stream: BinaryIO, encoding: str, feed: Feed) -> tuple[Layout | Rejected, Record | None]:
        del stream, encoding
        return named_layout(feed, ["value"]), None

    def records(self, stream: BinaryIO, encoding: str, feed: Feed, layout: Layout) -> Iterator[Record]:
        return totalled(lines_of(stream, encoding, feed), feed, layout)


def lines_of(stream: BinaryIO, encoding: str, feed: Feed) -> Generator[Record, None, None]:
    """The lines of a file behind those that are passed over, each with itself as its field; trailers are no rows."""
    source, trailer = feed.source, feed.source.trailer
    with decoded(stream, encoding) as text:
        lines = Lines(text, source.limits.record)
        for line in lines:
            bare = line.rstrip("\r\n")
            if lines.number <= source.skip_lines:
                continue
            if isinstance(line, TooLong):
                yield line.record(lines.number)
            elif undecodable(bare):
                yield Record(lines.number, None, shown_raw(bare), NOT_VALID)
            else:
                is_trailer = trailer is not None and bare.startswith(trailer.starts_with)
                yield Record(lines.number, (bare,), bare, no_row=is_trailer)
