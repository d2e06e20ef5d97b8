"""CSV files as DuckDB reads them, and how it is known that it read them as the law does."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence

import duckdb

from framework.engines.embedded.files import FileRead
from framework.engines.embedded.readers.scan import read_csv
from framework.feed import CsvOptions, Feed
from framework.law.dialects import DUCKDB
from framework.law.layout import Field, Layout, Rejected
from framework.opening import Compression, Piece

__all__ = ["CsvReader"]

_CHUNK = 1 << 20


class CsvReader:
    """See `FastReader`."""

    def survey(self, db: duckdb.DuckDBPyConnection, piece: Piece, feed: Feed) -> Layout | Rejected | None:
        del db, piece, feed  # a header is read in no time
        return None

    def can_read(self, feed: Feed, piece: Piece) -> bool:
        """Comments, escapes and quotes that end with their line DuckDB reads in ways of its own, and it takes blank
        lines before a header for it."""
        options = feed.source.csv
        if options.comment or not options.multiLine or options.escape != options.quote:
            return False
        return piece.header is None or piece.header.line == 1

    def source(
        self, feed: Feed, layout: Layout, files: Sequence[tuple[int, str]], compression: Compression, *, rejects: bool
    ) -> str:
        options, width = feed.source.csv, len(layout.record)
        reading = {
            "header": str(options.header).lower(),
            "delim": DUCKDB.text(options.sep),
            "quote": DUCKDB.text(options.quote or ""),
            "escape": DUCKDB.text(options.escape or "" if options.quote else ""),
        }
        names = [f"f{index}" for index in range(width)]
        records = read_csv(names, files, compression, reading, rejects=rejects)
        return f"SELECT *, strlen(concat({', '.join(names)})) AS _bytes FROM ({records})"

    def read_as_the_law(self, db: duckdb.DuckDBPyConnection, feed: Feed, file: FileRead, rows: int, size: int) -> bool:
        """Whether no record has more fields than the header that are empty, or blanks behind a closing quote: DuckDB
        lets both pass."""
        options = feed.source.csv
        if _size_without_surplus(file, options, size + rows * file.width):
            return True
        if _may_have_blanks_after_quotes(file, options):
            return False
        if not _may_have_surplus_fields(file, options):
            return True
        layout = file.layout
        wider = Layout((*layout.record, Field("surplus")), layout.fields)
        source = self.source(feed, wider, [(file.index, file.location)], file.compression, rejects=False)
        return db.execute(f"SELECT count(*) FROM ({source})").fetchone() == (0,)


def _size_without_surplus(file: FileRead, options: CsvOptions, records: int) -> bool:
    """Whether the file is exactly its header and `records` bytes of fields, separators and line feeds.

    Every other byte (a quote, a carriage return, a blank line, one more separator) only makes it longer.
    """
    if file.compression is not Compression.NONE:
        return False
    size = os.path.getsize(file.location)
    with file.stream() as stream:
        header = len(stream.readline()) if options.header else 0
        stream.seek(max(0, size - 1))
        return size == header + records and stream.read(1) == b"\n"


def _may_have_surplus_fields(file: FileRead, options: CsvOptions) -> bool:
    """Whether some line ends with an empty field."""
    sep, quote = options.sep.encode(), (options.quote or "").encode()
    chunk = b""
    for chunk in _chunks(file):
        if sep + b"\n" in chunk or (b"\r" in chunk and sep + b"\r" in chunk):
            return True
        if quote and quote in chunk and sep + quote * 2 in chunk:
            return True
    return chunk.endswith(sep)


def _may_have_blanks_after_quotes(file: FileRead, options: CsvOptions) -> bool:
    """Whether blanks may stand between a closing quote and the end of its field, where DuckDB skips them."""
    quote = re.escape((options.quote or "").encode())
    found = re.compile(quote + b" +(?:" + re.escape(options.sep.encode()) + b"|" + quote + b"|[\r\n]|\\Z)")
    blank_after = (options.quote or "").encode() + b" "
    return bool(quote) and any(blank_after in chunk and found.search(chunk) for chunk in _chunks(file))


def _chunks(file: FileRead) -> Iterator[bytes]:
    """The file's bytes in pieces that each repeat the end of the one before."""
    tail = b""
    with file.stream() as stream:
        while chunk := stream.read(_CHUNK):
            yield tail + chunk
            tail = chunk[-8:]
