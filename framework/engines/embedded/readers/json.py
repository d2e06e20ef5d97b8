"""JSON files as DuckDB reads them: as lines, from which it then takes the keys that are wanted."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from framework.engines.embedded.files import FileRead
from framework.engines.embedded.readers.bytes import Told, accounted
from framework.engines.embedded.readers.scan import read_csv
from framework.feed import Feed
from framework.law.dialects import DUCKDB
from framework.law.layout import Layout, json_layout
from framework.law.values import guarded, pointer
from framework.opening import Compression, Piece

__all__ = ["JsonReader", "json_survey"]

_LINES = {"header": "false", "delim": "'\x01'", "quote": "''", "escape": "''"}
"""Options that make each line one field: no quoting, and a separator that JSON text cannot contain."""
_LAX = r",\s*[}\]]|[:,\[]\s*-?(?:[nN][aA]|[iI])"
"""What DuckDB takes for JSON and the law does not: commas before a bracket, and its spellings of NaN and Infinity."""


class JsonReader:
    """See `FastReader`."""

    def can_read(self, feed: Feed, piece: Piece) -> bool:
        del feed
        return piece.surveyed

    def source(self, feed: Feed, layout: Layout, files: Sequence[tuple[int, str]], compression: Compression) -> str:
        del feed
        paths = ", ".join(DUCKDB.text(pointer(name)) for name in layout.names)
        lines = read_csv(["line"], files, compression, _LINES)
        fields = [f"json_extract_string(fields[{index + 1}], '$') AS f{index}" for index in range(len(layout.record))]
        listed = ", ".join([*fields, "_file", "strlen(line) AS _bytes", "0 AS _quotes"])
        return f"SELECT {listed} FROM (SELECT *, json_extract({guarded('line')}, [{paths}]) AS fields FROM ({lines}))"

    def read_as_the_law(self, feed: Feed, file: FileRead, told: Told) -> bool:
        del feed
        return accounted(file, told, 0)


def json_survey(db: duckdb.DuckDBPyConnection, piece: Piece, feed: Feed) -> Layout | None:
    """A `Survey`: the layout from the keys that occur in the file, in order of first appearance; None when some line is
    not certainly an object for the law as well, with each key once."""
    if not piece.is_utf8:
        return None
    with piece.source.path() as path:
        found = db.execute(_keys(path, piece.compression)).fetchall()
    if not found or any(lax or not keys or len(set(keys)) < len(keys) for keys, _, lax in found):
        return None
    layout = json_layout(feed, list(dict.fromkeys(key for keys, _, _ in found for key in keys)))
    return layout if isinstance(layout, Layout) else None  # a file is rejected by the law alone


def _keys(path: str, compression: Compression) -> str:
    """A query of the lists of keys that the objects of a file have, in order of first appearance."""
    lines = read_csv(["line"], [(0, path)], compression, _LINES, rejects=False)
    keys = "CASE WHEN json_valid(line) THEN json_keys(line) END AS keys"
    numbered = f"SELECT {keys}, {_lax('line')} AS lax, row_number() OVER () AS position FROM ({lines})"
    lists = f"SELECT any_value(keys) AS keys, min(position) AS position, bool_or(lax) AS lax FROM ({numbered})"
    return f"{lists} GROUP BY hash(keys) ORDER BY position"


def _lax(line: str) -> str:
    return f"regexp_matches({line}, {DUCKDB.text(_LAX)})"
