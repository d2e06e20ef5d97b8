"""JSON files as DuckDB reads them: as lines, from which it then takes the keys that are wanted."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from framework.engines.embedded.files import FileRead
from framework.engines.embedded.readers.bytes import Told, accounted, unpack_first
from framework.engines.embedded.readers.scan import read_csv
from framework.feed import Feed
from framework.law.dialects import DUCKDB
from framework.law.layout import Layout, json_layout, json_paths
from framework.law.values import guarded, pointer
from framework.opening import Compression, Piece

__all__ = ["JsonReader", "json_survey"]

_LINES = {"header": "false", "delim": "'\x01'", "quote": "''", "escape": "''"}
"""Options that make each line one field: no quoting, and a separator that JSON text cannot contain."""
_ESCAPED_KEY = r'\\[^"]*":'
_LAX = r",\s*[}\]]|[:,\[]\s*-?(?:[nN][aA]|[iI])"
"""What DuckDB takes for JSON and the law does not: commas before a bracket, and its spellings of NaN and Infinity."""


class JsonReader:
    """See `FastReader`."""

    def can_read(self, feed: Feed, piece: Piece) -> bool:
        del feed
        return piece.surveyed

    def unpack_first(self, feed: Feed, piece: Piece) -> None:
        """The survey has."""

    def source(self, feed: Feed, layout: Layout, files: Sequence[tuple[int, str]], compression: Compression) -> str:
        del feed
        paths = ", ".join(DUCKDB.text(pointer(name)) for name in layout.names)
        lines = read_csv(["line"], files, compression, _LINES)
        fields = [f"json_extract_string(fields[{index + 1}], '$') AS f{index}" for index in range(len(layout.record))]
        twice = " OR ".join(_names_twice(f"fields[{index + 1}]") for index in range(len(layout.record))) or "false"
        listed = ", ".join([*fields, "_file", "strlen(line) AS _bytes", f"CAST({twice} AS INTEGER) AS _quotes"])
        return f"SELECT {listed} FROM (SELECT *, json_extract({guarded('line')}, [{paths}]) AS fields FROM ({lines}))"

    def read_as_the_law(self, feed: Feed, file: FileRead, told: Told) -> bool:
        """Not where a key may stand twice within a value (`_quotes`): the last one counts, and DuckDB keeps both."""
        del feed
        return not told.quotes and accounted(file, told, 0)


def _names_twice(value: str) -> str:
    """SQL for: some object in a JSON value may have a key twice. Nearly always right; never wrong where it says no."""
    text = f"{value}::VARCHAR"  # without blanks
    keys = f'regexp_extract_all({text}, \'"([^"]*)":\', 1)'
    escaped = f"contains({text}, '\\') AND regexp_matches({text}, {DUCKDB.text(_ESCAPED_KEY)})"
    twice = f"list_unique({keys}) < len({keys}) OR ({escaped})"
    return f"CASE WHEN json_type({value}) IN ('OBJECT', 'ARRAY') THEN {twice} ELSE false END"


def json_survey(db: duckdb.DuckDBPyConnection, piece: Piece, feed: Feed) -> Layout | None:
    """A `Survey`: the layout from the keys that occur in the file, in order of first appearance; None when some line is
    not certainly an object for the law as well, with each key once. Raises BROKEN_FILE."""
    if not piece.is_utf8 or feed.source.records or json_paths(feed):
        return None
    unpack_first(piece)
    with piece.source.path() as path:
        found = db.execute(_keys(path, piece.compression)).fetchall()
    if not found or any(lax or not keys or len(set(keys)) < len(keys) for keys, _, lax in found):
        return None
    layout = json_layout(feed, list(dict.fromkeys(key for keys, _, _ in found for key in keys)))
    return layout if isinstance(layout, Layout) else None  # a file is rejected by the law alone


def _keys(path: str, compression: Compression) -> str:
    """A query of the lists of keys that the objects of a file have, in order of first appearance."""
    lines = read_csv(["line"], [(0, path)], compression, _LINES)
    keys = "CASE WHEN json_valid(line) THEN json_keys(line) END AS keys"
    numbered = f"SELECT {keys}, {_lax('line')} AS lax, row_number() OVER () AS position FROM ({lines})"
    lists = f"SELECT any_value(keys) AS keys, min(position) AS position, bool_or(lax) AS lax FROM ({numbered})"
    return f"{lists} GROUP BY hash(keys) ORDER BY position"


def _lax(line: str) -> str:
    return f"regexp_matches({line}, {DUCKDB.text(_LAX)})"
