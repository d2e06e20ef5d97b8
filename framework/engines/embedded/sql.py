"""The SQL with which DuckDB reads a batch: sources (CSV, JSON), rows, reasons of bad rows."""

from __future__ import annotations

from collections.abc import Sequence

from framework.feed import Feed
from framework.law.dialects import DUCKDB
from framework.law.layout import Layout
from framework.law.rules import error_list, malformed, row_rules
from framework.law.staging import BAD, RowQuery, Select, rendered
from framework.law.values import guarded, pointer, unguarded

__all__ = [
    "LINE",
    "bad_rows",
    "csv_source",
    "json_keys",
    "json_source",
    "row_query",
    "select_rows",
    "surplus_records",
    "table_columns",
]

LINE = "line"
NO_OBJECT = "the line is not a JSON object"
_RECORD_LIMIT = 32 << 20
"""The longest record in bytes that DuckDB reads in a careful copy. Its buffers are many times as large, so
files are first read with its own limit (2 MB); those with longer records then go the careful way."""


def table_columns(feed: Feed) -> str:
    """The columns of the temporary table `batch`."""
    columns = [f"v{index} {DUCKDB.type(column.type)}" for index, column in enumerate(feed.columns)]
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
        "delim": DUCKDB.text(sep),
        "quote": DUCKDB.text(quote),
        "escape": DUCKDB.text(escape if quote else ""),
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
    paths = ", ".join(DUCKDB.text(pointer(name)) for name in layout.names)
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
    columns = ", ".join(f"{DUCKDB.text(name)}: 'VARCHAR'" for name in names)
    paths = ", ".join(DUCKDB.text(_no_glob(path)) for _, path in files)
    options = reading | {
        "columns": f"{{{columns}}}",
        "auto_detect": "false",
        "strict_mode": "true",
        "null_padding": "false",
        "allow_quoted_nulls": "false",
        "compression": DUCKDB.text("gzip" if files[0][1].lower().endswith(".gz") else "none"),
    }
    position = str(files[0][0])
    if len(files) > 1:
        options["filename"] = "'_path'"
        first = ", ".join(DUCKDB.text(path) for _, path in files)
        positions = ", ".join(str(index) for index, _ in files)
        position = f"[{positions}][list_position([{first}], _path)]"
    arguments = ", ".join(f"{name} = {value}" for name, value in options.items())
    # Blank lines are no records; DuckDB sees a NULL in them when there is only one field.
    only = f" WHERE {names[0]} IS NOT NULL" if len(names) == 1 else ""
    return f"SELECT {', '.join(names)}, {position}::INTEGER AS _file FROM read_csv([{paths}], {arguments}){only}"


def _no_glob(path: str) -> str:
    """DuckDB reads * ? [ in a path as a pattern; a bracket makes them literal."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in path)


def row_query(feed: Feed, layout: Layout, files: Sequence[tuple[int, str]], *, is_json: bool) -> RowQuery:
    """How the records of a source become rows; `files` are (position, name) of its files."""
    fields = {name: unguarded(f"f{index}") if is_json else f"f{index}" for name, index in layout.fields}
    why = f"CASE WHEN NOT {_IS_OBJECT} THEN {DUCKDB.text(NO_OBJECT)} END" if is_json else None
    return RowQuery(feed, DUCKDB, fields, dict(files), why)


def select_rows(feed: Feed, layout: Layout, source: str, files: Sequence[tuple[int, str]], *, is_json: bool) -> str:
    """A query of the rows of the table `batch` from a source; `files` are (position, name) of its files."""
    rows = row_query(feed, layout, files, is_json=is_json)
    columns = list(enumerate(feed.columns))
    kept = ", ".join(
        f"CAST({f't{index}' if rows.has_text(column) else 'NULL'} AS VARCHAR)" for index, column in columns
    )
    texts = f"CASE WHEN {BAD} THEN [{kept}] END"
    if is_json:
        texts = f"CASE WHEN {_IS_OBJECT} THEN {texts} ELSE []::VARCHAR[] END"
    fields = ", ".join(f"f{index}" for index in range(len(layout.names)))
    values = [f"v{index}" for index, _ in columns]
    items = (*values, "_file", texts, "0" if is_json else f"strlen(concat({fields}))")
    return rendered(f"({source})", [*rows.selects(), Select(items)])


def bad_rows(feed: Feed) -> str:
    """A query of the bad rows in the table `batch`: `_row` (their rowid), `_file`, `_errors`."""
    columns = list(enumerate(feed.columns))
    texts = {column.name: f"_texts[{index + 1}]" for index, column in columns}
    values = {column.name: f"v{index}" for index, column in columns}
    listed = error_list(row_rules(feed, texts, values, DUCKDB), DUCKDB)
    errors = f"CASE WHEN len(_texts) > 0 THEN {listed} ELSE {malformed(DUCKDB.text(NO_OBJECT), DUCKDB)} END"
    return f"(SELECT rowid AS _row, _file, {errors} AS _errors FROM batch WHERE _texts IS NOT NULL)"
