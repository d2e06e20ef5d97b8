"""The SQL with which DuckDB reads a batch: rows, from the records of a source, and reasons of bad rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from framework.feed import Feed
from framework.law.checks import FLAGS, asks
from framework.law.dialects import DUCKDB
from framework.law.layout import Layout
from framework.law.references import references
from framework.law.rescue import rescued_fields
from framework.law.rules import error_list, row_rules
from framework.law.selects import Select, rendered
from framework.law.staging import BAD, RowQuery, moments, rules_of
from framework.law.verdict import Verdict

__all__ = ["LEFT", "bad_rows", "row_query", "select_rows", "table_columns"]

LEFT = "_left"
"""The verdict of a row that is neither staged nor bad."""
_LEFT_OUT = f"'{Verdict.DROP}', '{Verdict.FAIL}'"


def table_columns(feed: Feed) -> str:
    """The columns of the temporary table `batch`."""
    columns = [f"v{index} {DUCKDB.type(column.type)}" for index, column in enumerate(feed.columns)]
    asked = [f"{FLAGS} VARCHAR", f"{LEFT} VARCHAR"] if asks(feed) else []
    beside = ['"_file" INTEGER', '"_texts" VARCHAR[]', '"_bytes" INTEGER', '"_quotes" INTEGER']
    return ", ".join([*columns, *beside, *asked])


def row_query(
    feed: Feed,
    layout: Layout,
    files: Sequence[tuple[int, str]],
    audit: Mapping[str, str],
    *,
    usual_only: bool = False,
) -> RowQuery:
    """How the records of a source become rows; `files` are (position, name) of its files, `audit` is the SQL of the
    audit columns."""
    fields = {name: f"f{index}" for name, index in layout.fields}
    told, rescued = moments(layout), rescued_fields(layout)
    known = {reference: DUCKDB.name(check.name) for check, reference in references(feed)}
    query = RowQuery(feed, DUCKDB, fields, dict(files), audit=audit, usual_only=usual_only, moments=told)
    return replace(query, rescued=rescued, known=known)


def select_rows(
    feed: Feed,
    layout: Layout,
    source: str,
    files: Sequence[tuple[int, str]],
    audit: Mapping[str, str],
    *,
    ordered: bool = False,
) -> str:
    """A query of the rows of the table `batch` from a source of f0, f1, …, "_file", "_bytes" and "_quotes"; `files` are
    (position, name) of its files. With `ordered` the rows are put into the source's order again at the end."""
    rows = row_query(feed, layout, files, audit)
    columns = list(enumerate(feed.columns))
    kept = ", ".join(
        f"CAST({f't{index}' if rows.has_text(column) else 'NULL'} AS VARCHAR)" for index, column in columns
    )
    texts = f"CASE WHEN {BAD} THEN [{kept}] END"
    asked = (FLAGS, f"CASE WHEN _verdict IN ({_LEFT_OUT}) THEN _verdict END") if asks(feed) else ()
    items = (*(f"v{index}" for index, _ in columns), "_file", texts, "_bytes", "_quotes", *asked)
    if ordered:
        source = f"SELECT *, row_number() OVER () AS _place FROM ({source})"
    query = rendered(f"({source})", [*rows.selects(), Select(items)])
    return f"{query} ORDER BY _place" if ordered else query


def bad_rows(feed: Feed) -> str:
    """A query of the bad rows in the table `batch`: `_row` (their rowid), `_file`, `_errors`."""
    columns = list(enumerate(feed.columns))
    texts = {column.name: f"_texts[{index + 1}]" for index, column in columns}
    values = {column.name: f"v{index}" for index, column in columns}
    listed = error_list(rules_of(feed, row_rules(feed, texts, values, DUCKDB)), DUCKDB)
    return f"(SELECT rowid AS _row, _file, {listed} AS _errors FROM batch WHERE _texts IS NOT NULL)"
