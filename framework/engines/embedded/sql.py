"""The SQL with which DuckDB reads a batch: sources (CSV, JSON), rows, reasons of bad rows."""

from __future__ import annotations

from collections.abc import Sequence

from framework.feed import Column, Feed
from framework.law.discovery import captures
from framework.law.layout import Layout
from framework.law.rules import error_list, literal, quoted, row_rules, text_of, value_of
from framework.law.values import guarded, pointer, unguarded
from framework.types import Array, DataType, Map, Scalar, Struct

__all__ = [
    "LINE",
    "csv_source",
    "duckdb_type",
    "json_keys",
    "json_source",
    "reasons",
    "select_rows",
    "surplus_records",
    "table_columns",
]

LINE = "line"
_RECORD_LIMIT = 32 << 20
"""The longest record in bytes that DuckDB reads in a careful copy. Its buffers are many times as large, so
files are first read with its own limit (2 MB); those with longer records then go the careful way."""


def duckdb_type(type_: DataType) -> str:
    """The type in DuckDB's words. Delta's `timestamp` is an instant: TIMESTAMP WITH TIME ZONE."""
    match type_:
        case Scalar("timestamp"):
            return "TIMESTAMPTZ"
        case Scalar("string"):
            return "VARCHAR"
        case Array(element):
            return f"{duckdb_type(element)}[]"
        case Map(key, value):
            return f"MAP({duckdb_type(key)}, {duckdb_type(value)})"
        case Struct(members):
            return f"STRUCT({', '.join(f'{_name(name)} {duckdb_type(member)}' for name, member in members)})"
        case _:
            return str(type_).upper()


def table_columns(feed: Feed) -> str:
    """The columns of the temporary table `batch`."""
    columns = [f"{_name(column.name)} {duckdb_type(column.type)}" for column in feed.columns]
    return ", ".join([*columns, '"_file" INTEGER', '"_texts" VARCHAR[]', '"_bytes" INTEGER'])


def csv_source(
    feed: Feed, layout: Layout, files: Sequence[tuple[int, str]], *, careful: bool, rejects: bool = True
) -> str:
    """A query of the fields f0, f1, … and "_file" of CSV files given as (position in the batch, path).

    Broken records are noted in DuckDB's reject tables, or passed over without `rejects`.
    """
    options = feed.source.csv
    sep, quote, escape = (",", '"', '"') if careful else (options.sep, options.quote or "", options.escape or "")
    reading = {
        "header": str(options.header and not careful).lower(),
        "delim": _text(sep),
        "quote": _text(quote),
        "escape": _text(escape if quote else ""),
        "comment": "''",
    }
    if careful:
        reading["max_line_size"] = str(_RECORD_LIMIT)
        reading["new_line"] = "'\\n'"  # DuckDB would take the first line end for it, also one inside quotes
    reading |= _REJECTS if rejects else {"ignore_errors": "true"}
    return _read_csv([f"f{index}" for index in range(len(layout.names))], files, reading)


def surplus_records(feed: Feed, layout: Layout, file: tuple[int, str]) -> str:
    """A query that counts a file's records with more fields than the header has."""
    wider = Layout((*layout.names, "surplus"), layout.fields)
    return f"SELECT count(*) FROM ({csv_source(feed, wider, [file], careful=False, rejects=False)})"


def json_source(layout: Layout, files: Sequence[tuple[int, str]], *, careful: bool) -> str:
    """A query of the texts f0, f1, … of the layout's keys, the whole `line`, and "_file"."""
    paths = ", ".join(_text(pointer(name)) for name in layout.names)
    lines = _read_csv([LINE], files, _lines(careful))
    extracted = f"SELECT *, {_if_object(f'json_extract({guarded(LINE)}, [{paths}])')} AS fields FROM ({lines})"
    fields = [f"json_extract_string(fields[{index + 1}], '$') AS f{index}" for index in range(len(layout.names))]
    return f"SELECT {', '.join([*fields, LINE, '_file'])} FROM ({extracted})"


def json_keys(path: str, *, careful: bool) -> str:
    """A query of the distinct keys of a file's objects."""
    lines = _read_csv([LINE], [(0, path)], _lines(careful))
    return (
        f"SELECT key FROM (SELECT unnest(json_keys(line)) AS key, row_number() OVER () AS position FROM ({lines}) "
        f"WHERE {_IS_OBJECT}) GROUP BY key ORDER BY min(position), key"
    )


_IS_OBJECT = "CASE WHEN json_valid(line) THEN json_type(line) = 'OBJECT' ELSE false END"


def _if_object(value: str) -> str:
    return f"CASE WHEN {_IS_OBJECT} THEN {value} END"


_REJECTS = {"store_rejects": "true", "rejects_limit": "0"}
_LINES = {"header": "false", "delim": "'\x01'", "quote": "''", "escape": "''", "comment": "''"}
"""Options that make each line one field: no quoting, and a separator that JSON text cannot contain."""


def _lines(careful: bool) -> dict[str, str]:
    return _LINES | _REJECTS | ({"max_line_size": str(_RECORD_LIMIT)} if careful else {})


def _read_csv(names: Sequence[str], files: Sequence[tuple[int, str]], reading: dict[str, str]) -> str:
    columns = ", ".join(f"{_text(name)}: 'VARCHAR'" for name in names)
    paths = ", ".join(_text(_no_glob(path)) for _, path in files)
    options = reading | {
        "columns": f"{{{columns}}}",
        "auto_detect": "false",
        "hive_partitioning": "false",  # what a folder is called is no data
        "strict_mode": "true",
        "null_padding": "false",
        "allow_quoted_nulls": "false",
        "compression": _text("gzip" if files[0][1].lower().endswith(".gz") else "none"),
    }
    position = str(files[0][0])
    if len(files) > 1:
        options["filename"] = "'_path'"
        first = ", ".join(_text(path) for _, path in files)
        positions = ", ".join(str(index) for index, _ in files)
        position = f"[{positions}][list_position([{first}], _path)]"
    arguments = ", ".join(f"{name} = {value}" for name, value in options.items())
    # Blank lines are no records; DuckDB sees a NULL in them when there is only one field.
    only = f" WHERE {names[0]} IS NOT NULL" if len(names) == 1 else ""
    return f"SELECT {', '.join(names)}, {position}::INTEGER AS _file FROM read_csv([{paths}], {arguments}){only}"


def _no_glob(path: str) -> str:
    """DuckDB reads * ? [ in a path as a pattern; a bracket makes them literal."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in path)


def select_rows(feed: Feed, layout: Layout, source: str, files: Sequence[tuple[int, str]], *, is_json: bool) -> str:
    """A query of the rows of the table `batch` from a source; `files` are (position, name) of its files."""
    at = dict(layout.fields)
    texts, values, text_sql, value_sql = {}, {}, [], []
    for index, column in enumerate(feed.columns):
        text, value = f"t{index}", f"v{index}"
        raw = _field(feed, column, at.get(column.name), files, is_json)
        texts[column.name], values[column.name] = (text if raw else "NULL"), value
        if raw:
            text_sql.append(f"{raw} AS {text}")
        value_sql.append(f"{_value(feed, column, texts[column.name])} AS {value}")
    broken = [rule.broken for rule in row_rules(feed, texts, values, "duckdb")]
    kept = ", ".join(f"CAST({text} AS VARCHAR)" for text in texts.values())
    bad = f"CASE WHEN {' OR '.join(broken) or 'false'} THEN [{kept}] END"
    if is_json:
        bad = f"CASE WHEN {_IS_OBJECT} THEN {bad} ELSE []::VARCHAR[] END"
    inner = f"SELECT *, {', '.join(text_sql)} FROM ({source})" if text_sql else source
    fields = ", ".join(f"f{index}" for index in range(len(layout.names)))
    listed = ", ".join([*values.values(), "_file", bad, "0" if is_json else f"strlen(concat({fields}))"])
    return f"SELECT {listed} FROM (SELECT *, {', '.join(value_sql)} FROM ({inner}))"


def _field(
    feed: Feed, column: Column, index: int | None, files: Sequence[tuple[int, str]], is_json: bool
) -> str | None:
    """SQL of a column's text, None when the file does not have it."""
    if column.from_file is not None:
        found = [(captures(feed.source.files or "*", name.rsplit("/", 1)[-1]) or {}) for _, name in files]
        captured = ", ".join(_text(each.get(column.from_file, "")) for each in found)
        positions = ", ".join(str(position) for position, _ in files)
        return f"nullif([{captured}][list_position([{positions}], _file)], '')"
    if index is None:
        return None
    raw = f"f{index}"
    if is_json:
        raw = unguarded(raw)
    return text_of(column, raw, feed, "duckdb")


def _value(feed: Feed, column: Column, text: str) -> str:
    if text == "NULL":
        if column.default is None:
            return f"CAST(NULL AS {duckdb_type(column.type)})"
        return value_of(column, "NULL::VARCHAR", feed, "duckdb")
    return value_of(column, text, feed, "duckdb")


def reasons(feed: Feed) -> str:
    """A query of (rowid, "_file", errors) of the bad rows in the table `batch`."""
    texts = {column.name: f"_texts[{index + 1}]" for index, column in enumerate(feed.columns)}
    values = {column.name: _name(column.name) for column in feed.columns}
    listed = error_list(row_rules(feed, texts, values, "duckdb"), "duckdb")
    return f"SELECT rowid, _file, CASE WHEN len(_texts) > 0 THEN {listed} END FROM batch WHERE _texts IS NOT NULL"


def _name(name: str) -> str:
    return quoted(name, "duckdb")


def _text(text: str) -> str:
    return literal(text, "duckdb")
