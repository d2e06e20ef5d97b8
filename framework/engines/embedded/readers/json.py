"""JSON files as DuckDB reads them: as lines, from which it then takes the keys that are wanted.

A line that is of a known shape (`Shapes`) is read as the law reads it. Of another one is asked what DuckDB and the law
may see differently, which takes several times as long.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from framework.engines.embedded.files import FileRead
from framework.engines.embedded.readers.bytes import Told, accounted, unpack_first
from framework.engines.embedded.readers.scan import read_csv
from framework.engines.embedded.readers.shapes import Shapes, shapes_of
from framework.feed import Feed, NewColumns
from framework.law.dialects import DUCKDB
from framework.law.layout import Layout, growing, json_layout, json_paths
from framework.law.selects import by_position
from framework.law.values import DEEPEST, guarded, pointer, unguarded
from framework.opening import Compression, Piece

__all__ = ["JsonReader", "json_survey"]

_LINES = {"header": "false", "delim": "'\x01'", "quote": "''", "escape": "''"}
"""Options that make each line one field: no quoting, and a separator that JSON text cannot contain."""
_ESCAPED_KEY = r'\\[^"]*":'
_LAX = r",\s*[}\]]|[:,\[]\s*-?(?:[nN][aA]|[iI])"
"""What DuckDB takes for JSON and the law does not: commas before a bracket, and its spellings of NaN and Infinity."""
_STRING = r'"(?:[^"\\]|\\.)*"'
_LEVELS = 2
"""Objects and arrays within each other in which keys are told apart."""
_KEYS = 1000
"""Keys of a file beyond which the law reads it: DuckDB holds the keys of each line against all of them."""
_DEEP = rf"(?:[{{\[][^{{\[]*){{{DEEPEST + 1}}}"
"""So many brackets that they may be too deep."""


class JsonReader:
    """See `FastReader`."""

    def can_read(self, feed: Feed, piece: Piece) -> bool:
        del feed
        return piece.surveyed

    def unpack_first(self, feed: Feed, piece: Piece) -> None:
        """The survey has."""

    def source(
        self,
        feed: Feed,
        layout: Layout,
        files: Sequence[tuple[int, str]],
        compression: Compression,
        pieces: Sequence[Piece] = (),
    ) -> str:
        del feed
        known = {piece.index: (*layout.names, *_others(piece)) for piece in pieces}
        shapes = shapes_of(pieces[0]) if pieces else None
        if shapes is None or not all(set(shapes.keys) <= set(keys) for keys in known.values()):
            shapes = Shapes()
        shaped = f"SELECT *, {_which(shapes)} AS shaped FROM ({_first(shapes, files, compression)})"
        of_others = _unless_shaped(_texts(guarded("line"), layout.names))
        others = f"SELECT *, {of_others} AS o, {_unless_shaped('json_keys(line)')} AS keys FROM ({shaped})"
        fields = [f"{_field(name, index, shapes)} AS f{index}" for index, name in enumerate(layout.names)]
        values = [f"o[{index + 1}]" for index in range(len(layout.names))]
        twice = [
            _names_twice(value, _LEVELS if name in shapes.nested else 0)
            for name, value in zip(layout.names, values, strict=True)
        ]
        doubt = f"CASE WHEN shaped IS NULL THEN {_doubt(twice, known)} ELSE {_in_nested(shapes)} END"
        listed = ", ".join([*fields, "_file", "strlen(line) AS _bytes", f"CAST({doubt} AS INTEGER) AS _quotes"])
        return f"SELECT {listed} FROM ({others})"

    def read_as_the_law(self, feed: Feed, file: FileRead, told: Told) -> bool:
        """Not where something is in doubt about a line (`_quotes`)."""
        del feed
        file.piece.source.varies = bool(told.quotes)
        return not told.quotes and accounted(file, told, 0)


def _others(piece: Piece) -> tuple[str, ...]:
    return piece.layout.others if isinstance(piece.layout, Layout) else ()


def _first(shapes: Shapes, files: Sequence[tuple[int, str]], compression: Compression) -> str:
    """A query of the lines with `v`, the texts that DuckDB takes from them for the keys of their shapes."""
    lines = read_csv(["line"], files, compression, _LINES)
    return f"SELECT *, {_texts('line', shapes.keys)} AS v FROM ({lines})" if shapes.keys else lines


def _texts(document: str, names: Sequence[str]) -> str:
    return f"json_extract_string({document}, [{', '.join(DUCKDB.text(pointer(name)) for name in names)}]::VARCHAR[])"


def _which(shapes: Shapes) -> str:
    """SQL of the shape that a line has, even with the numbers as DuckDB writes them, odd with those that stand in the
    line; NULL for no known one."""
    at, tests = _taken(shapes), []
    for index, shape in enumerate(shapes.shapes):
        tests.append(f"WHEN line = {shape.text([at[name] for name in shape.names])} THEN {2 * index}")
    for index, shape in enumerate(shapes.shapes):
        if not shapes.points.isdisjoint(shape.names):
            texts = [shape.number(name) if name in shapes.points else at[name] for name in shape.names]
            tests.append(f"WHEN line = {shape.text(texts)} THEN {2 * index + 1}")
    return f"CASE {' '.join(tests)} END" if tests else "NULL::INTEGER"


def _taken(shapes: Shapes) -> dict[str, str]:
    """SQL of the text that DuckDB took from a line for each key."""
    return {key: f"v[{index + 1}]" for index, key in enumerate(shapes.keys)}


def _field(name: str, index: int, shapes: Shapes) -> str:
    """SQL of the text of a field, which is the layout's at this index."""
    numbers = [
        f"WHEN shaped = {2 * number + 1} THEN {shape.number(name)}"
        for number, shape in enumerate(shapes.shapes)
        if name in shapes.points and name in shape.names
    ]
    other = unguarded(f"o[{index + 1}]")
    return f"CASE WHEN shaped IS NULL THEN {other} {' '.join(numbers)} ELSE {_taken(shapes).get(name, 'NULL')} END"


def _unless_shaped(value: str) -> str:
    return f"CASE WHEN shaped IS NULL THEN {value} END"


def _in_nested(shapes: Shapes) -> str:
    """SQL for: some of the values of a line are objects or arrays in which a key may stand twice, or that may be nested
    too deep, or no numbers but what DuckDB takes for some (nan, inf)."""
    pairs = (pair for shape in shapes.shapes for pair in zip(shape.names, shape.quoted, strict=True))
    values = {name: _taken(shapes)[name] for name, quoted in pairs if not quoted}
    if not values:
        return "false"
    together = "concat(',', " + ", ',', ".join(values.values()) + ")"
    each = (_names_twice(value, _LEVELS if name in shapes.nested else 0) for name, value in values.items())
    twice = " OR ".join(each)
    doubt = f"{twice} OR regexp_matches(line, {DUCKDB.text(_DEEP)})"
    nested = f"CASE WHEN contains({together}, '{{') OR contains({together}, '[') THEN {doubt} ELSE false END"
    return f"({_lax(together)} OR {nested})"


def _doubt(twice: Sequence[str], known: dict[int, tuple[str, ...]]) -> str:
    """SQL for: the law may read a line otherwise, which is of no known shape."""
    listed = {index: DUCKDB.array([DUCKDB.text(key) for key in its]) for index, its in known.items()}
    unknown = [f"NOT list_has_all({by_position(listed, DUCKDB)}, keys)"] if listed else []
    whole = ["coalesce(len(keys), 0) = 0", "list_unique(keys) < len(keys)", *unknown]
    deep = f"regexp_matches(line, {DUCKDB.text(_DEEP)})"
    return " OR ".join([*whole, _lax("line"), deep, *twice])


def _names_twice(value: str, levels: int = 0) -> str:
    """SQL for: some object in a value, given as its text without blanks, may have a key twice. Never wrong where it
    says no; where it says yes below so many levels, or an object of another one may have the same key."""
    keys = f'regexp_extract_all({value}, \'"([^"]*)":\', 1)'
    escaped = f"contains({value}, '\\') AND regexp_matches({value}, {DUCKDB.text(_ESCAPED_KEY)})"
    repeated, below = f"list_unique({keys}) < len({keys})", "true"
    if levels:
        each = f"e{levels}"
        inner = _names_twice(f"CAST({each} AS VARCHAR)", levels - 1)
        elements, members = (f"json_extract({value}, '{path}')" for path in ("$[*]", "$.*"))
        own = f"list_unique(json_keys({value})) < len(json_keys({value}))"
        some, other = (
            f"coalesce(list_bool_or(list_transform({listed}, lambda {each}: {inner})), false)"
            for listed in (elements, members)
        )
        below = (
            f"CASE WHEN NOT json_valid({value}) THEN false WHEN {value}[1] = '[' THEN {some} ELSE {own} OR {other} END"
        )
    twice = f"({escaped}) OR CASE WHEN {repeated} THEN {below} ELSE false END"
    return f"CASE WHEN {value}[1] IN ('{{', '[') THEN {twice} ELSE false END"  # false for NULL


def json_survey(db: duckdb.DuckDBPyConnection, piece: Piece, feed: Feed) -> Layout | None:
    """A `Survey`: the layout from the keys that occur in the file, in order of first appearance; None when some line is
    not certainly an object for the law as well, with each key once. For a file whose lines have shapes they are those
    of its beginning, until another one is met when it is read. Raises BROKEN_FILE."""
    if not piece.is_utf8 or feed.source.records or json_paths(feed) or growing(feed):
        return None
    unpack_first(piece)
    of_all = piece.source.varies or feed.schema_contract.new_columns is NewColumns.ADD  # also of the last line's
    shapes = None if of_all else shapes_of(piece)
    keys = _all_keys(db, piece) if shapes is None else shapes.keys
    layout = json_layout(feed, keys) if 0 < len(keys) <= _KEYS else None
    return layout if isinstance(layout, Layout) else None  # a file is rejected by the law alone


def _all_keys(db: duckdb.DuckDBPyConnection, piece: Piece) -> tuple[str, ...]:
    """All keys of a file; none where some line is in doubt."""
    with piece.source.path() as path:
        found = db.execute(_keys(path, piece.compression)).fetchall()
    if any(lax or not keys or len(set(keys)) < len(keys) for keys, _, lax in found):
        return ()
    return tuple(dict.fromkeys(key for keys, _, _ in found for key in keys))


def _keys(path: str, compression: Compression) -> str:
    """A query of the lists of keys that the objects of a file have, in order of first appearance."""
    lines = read_csv(["line"], [(0, path)], compression, _LINES)
    keys = "CASE WHEN json_valid(line) THEN json_keys(line) END AS keys"
    numbered = f"SELECT {keys}, {_lax('line')} AS lax, row_number() OVER () AS position FROM ({lines})"
    lists = f"SELECT any_value(keys) AS keys, min(position) AS position, bool_or(lax) AS lax FROM ({numbered})"
    return f"{lists} GROUP BY hash(keys) ORDER BY position"


def _lax(line: str) -> str:
    """SQL for: something that DuckDB takes for JSON stands outside strings."""
    bare = f"regexp_replace({line}, {DUCKDB.text(_STRING)}, '\"\"', 'g')"
    lax = DUCKDB.text(_LAX)
    return f"CASE WHEN regexp_matches({line}, {lax}) THEN regexp_matches({bare}, {lax}) ELSE false END"
