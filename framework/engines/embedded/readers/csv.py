"""CSV files as DuckDB reads them, and how it is known that it read them as the law does."""

from __future__ import annotations

from collections.abc import Sequence

from framework.engines.embedded.files import FileRead
from framework.engines.embedded.readers.bytes import Told, accounted, unpack_first
from framework.engines.embedded.readers.scan import read_csv
from framework.feed import Feed
from framework.law.dialects import DUCKDB
from framework.law.layout import AROUND, Layout
from framework.opening import Compression, Piece

__all__ = ["CsvReader"]


class CsvReader:
    """See `FastReader`."""

    def can_read(self, feed: Feed, piece: Piece) -> bool:
        """Comments, escapes and quotes that end with their line DuckDB reads in ways of its own, and it takes blank
        lines before a header for it."""
        options = feed.source.csv
        if len(options.sep) > 1:
            return False
        if options.comment or not options.multiLine or (options.quote and options.escape != options.quote):
            return False
        return piece.header is None or piece.header.line == 1

    def unpack_first(self, feed: Feed, piece: Piece) -> None:
        unpack_first(piece, feed.source.csv.quote or "")

    def source(
        self,
        feed: Feed,
        layout: Layout,
        files: Sequence[tuple[int, str]],
        compression: Compression,
        pieces: Sequence[Piece] = (),
    ) -> str:
        del pieces
        options, width = feed.source.csv, len(layout.record)
        reading = {
            "header": str(options.header).lower(),
            "delim": DUCKDB.text(options.sep),
            "quote": DUCKDB.text(options.quote or ""),
            "escape": DUCKDB.text(options.escape or "" if options.quote else ""),
        }
        names = [f"f{index}" for index in range(width)]
        records = read_csv(names, files, compression, reading)
        values, quote = f"concat({', '.join(names)})", DUCKDB.text(options.quote or "")
        quotes = f"strlen({values}) - strlen(replace({values}, {quote}, ''))" if options.quote else "0"
        kept = f"CASE WHEN contains({values}, {quote}) THEN {quotes} ELSE 0 END"
        size = f"strlen({values})"
        if options.header:  # the header once more is no row, which the law tells
            size = f"CASE WHEN {_is_header(layout)} THEN error('the header once more') ELSE {size} END"
        return f"SELECT *, {size} AS _bytes, {kept} AS _quotes FROM ({records})"

    def read_as_the_law(self, feed: Feed, file: FileRead, told: Told) -> bool:
        options = feed.source.csv
        return accounted(file, told, (file.width - 1) * len(options.sep.encode()), options.quote or "")


def _is_header(layout: Layout) -> str:
    """SQL for: the record may be the header once more. Asked first is for the longest name, hardly ever a value: what
    stands behind a THEN is reckoned only for the records that come to it, but all that an AND joins for each."""
    names, around = layout.names, " || ".join(f"chr({ord(sign)})" for sign in AROUND)
    longest = max(range(len(names)), key=lambda index: len(names[index]))
    same = (f"trim(f{index}, {around}) = {DUCKDB.text(names[index])}" for index in layout.used)
    named = f"contains(f{longest}, {DUCKDB.text(names[longest])})"
    return f"CASE WHEN {named} THEN coalesce({' AND '.join(same) or 'true'}, false) ELSE false END"
