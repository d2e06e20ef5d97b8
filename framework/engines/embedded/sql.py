"""The SQL with which DuckDB reads a batch: rows, from the records of a source, and reasons of bad rows."""

from __future__ import annotations

from collections.abc import Sequence

from framework.feed import Column, Feed
from framework.law.dialects import DUCKDB
from framework.law.discovery import captures
from framework.law.layout import Kind, Layout
from framework.law.rules import error_list, row_rules, text_of, value_of
from framework.law.values import unguarded

__all__ = ["reasons", "select_rows", "table_columns"]


def table_columns(feed: Feed) -> str:
    """The columns of the temporary table `batch`."""
    columns = [f"{DUCKDB.name(column.name)} {DUCKDB.type(column.type)}" for column in feed.columns]
    return ", ".join([*columns, '"_file" INTEGER', '"_texts" VARCHAR[]', '"_bytes" INTEGER', '"_quotes" INTEGER'])


def select_rows(feed: Feed, layout: Layout, source: str, files: Sequence[tuple[int, str]]) -> str:
    """A query of the rows of the table `batch` from a source of f0, f1, …, "_file", "_bytes" and "_quotes"; `files` are
    (position, name) of its files."""
    texts, values, text_sql, value_sql = {}, {}, [], []
    for index, column in enumerate(feed.columns):
        text, value = f"t{index}", f"v{index}"
        raw = _field(feed, column, layout, files)
        texts[column.name], values[column.name] = (text if raw else "NULL"), value
        if raw:
            text_sql.append(f"{raw} AS {text}")
        value_sql.append(f"{_value(feed, column, texts[column.name])} AS {value}")
    broken = [rule.broken for rule in row_rules(feed, texts, values, DUCKDB)]
    kept = ", ".join(f"CAST({text} AS VARCHAR)" for text in texts.values())
    bad = f"CASE WHEN {' OR '.join(broken) or 'false'} THEN [{kept}] END"
    inner = f"SELECT *, {', '.join(text_sql)} FROM ({source})" if text_sql else source
    listed = ", ".join([*values.values(), "_file", bad, "_bytes", "_quotes"])
    return f"SELECT {listed} FROM (SELECT *, {', '.join(value_sql)} FROM ({inner}))"


def _field(feed: Feed, column: Column, layout: Layout, files: Sequence[tuple[int, str]]) -> str | None:
    """SQL of a column's text, None when the file does not have it."""
    if column.from_file is not None:
        found = [(captures(feed.source.files or "*", name.rsplit("/", 1)[-1]) or {}) for _, name in files]
        captured = ", ".join(DUCKDB.text(each.get(column.from_file, "")) for each in found)
        positions = ", ".join(str(position) for position, _ in files)
        return f"nullif([{captured}][list_position([{positions}], _file)], '')"
    index = layout.index(column.name)
    if index is None:
        return None
    raw = unguarded(f"f{index}") if layout.record[index].kind is Kind.JSON else f"f{index}"
    return text_of(column, raw, feed, DUCKDB)


def _value(feed: Feed, column: Column, text: str) -> str:
    if text == "NULL":
        if column.default is None:
            return DUCKDB.null(column.type)
        return value_of(column, "NULL::VARCHAR", feed, DUCKDB)
    return value_of(column, text, feed, DUCKDB)


def reasons(feed: Feed) -> str:
    """A query of (rowid, "_file", errors) of the bad rows in the table `batch`."""
    texts = {column.name: f"_texts[{index + 1}]" for index, column in enumerate(feed.columns)}
    values = {column.name: DUCKDB.name(column.name) for column in feed.columns}
    listed = error_list(row_rules(feed, texts, values, DUCKDB), DUCKDB)
    return f"SELECT rowid, _file, {listed} FROM batch WHERE _texts IS NOT NULL"
