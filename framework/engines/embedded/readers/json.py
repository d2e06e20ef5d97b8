"""JSON files as DuckDB reads them: as lines, from which it then takes the keys that are wanted."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from framework.engines.embedded.files import FileRead
from framework.engines.embedded.readers.scan import read_csv
from framework.feed import Feed
from framework.law.dialects import DUCKDB
from framework.law.layout import Layout, Rejected, json_layout
from framework.law.values import guarded, pointer
from framework.opening import Compression, Piece

__all__ = ["JsonReader"]

_LINES = {"header": "false", "delim": "'\x01'", "quote": "''", "escape": "''"}
"""Options that make each line one field: no quoting, and a separator that JSON text cannot contain."""
_IS_OBJECT = "CASE WHEN json_valid(line) THEN json_type(line) = 'OBJECT' ELSE false END"


class JsonReader:
    """See `FastReader`."""

    def survey(self, db: duckdb.DuckDBPyConnection, piece: Piece, feed: Feed) -> Layout | Rejected | None:
        """The layout from the keys that occur in the file's objects, in order of first appearance; None when it has
        lines that are none."""
        if not piece.is_utf8:
            return None
        lines = read_csv(["line"], [(0, piece.source.location)], piece.compression, _LINES, rejects=False)
        rows = db.execute(
            f"SELECT key FROM (SELECT unnest(CASE WHEN {_IS_OBJECT} THEN json_keys(line) ELSE [NULL] END) AS key, "
            f"row_number() OVER () AS position FROM ({lines})) GROUP BY key ORDER BY min(position), key"
        ).fetchall()
        keys = [key for (key,) in rows]
        return None if None in keys or not keys else json_layout(feed, keys)

    def can_read(self, feed: Feed, piece: Piece) -> bool:
        del feed
        return piece.is_utf8 and isinstance(piece.layout, Layout) and bool(piece.layout.record)

    def source(
        self, feed: Feed, layout: Layout, files: Sequence[tuple[int, str]], compression: Compression, *, rejects: bool
    ) -> str:
        del feed
        paths = ", ".join(DUCKDB.text(pointer(name)) for name in layout.names)
        lines = read_csv(["line"], files, compression, _LINES, rejects=rejects)
        found = f"CASE WHEN {_IS_OBJECT} THEN json_extract({guarded('line')}, [{paths}]) END"
        fields = [f"json_extract_string(fields[{index + 1}], '$') AS f{index}" for index in range(len(layout.record))]
        size = f"CASE WHEN {_IS_OBJECT} THEN 0 ELSE 1 END AS _bytes"
        return f"SELECT {', '.join([*fields, '_file', size])} FROM (SELECT *, {found} AS fields FROM ({lines}))"

    def read_as_the_law(self, db: duckdb.DuckDBPyConnection, feed: Feed, file: FileRead, rows: int, size: int) -> bool:
        """Whether every line is an object."""
        del db, feed, file, rows
        return size == 0
