"""The SQL of a step as DuckDB runs it, formatted for people."""

from __future__ import annotations

from dataclasses import replace

import sqlglot

from framework.engines.embedded.merging import classify_sql
from framework.engines.embedded.sql import csv_source, json_source, select_rows
from framework.feed import Feed, Format
from framework.law.dialects import DUCKDB
from framework.law.staging import layout_of, rendered, staged
from framework.steps import Stage

__all__ = ["merge_sql", "stage_queries", "stage_sql"]


def stage_sql(step: Stage) -> str:
    """The queries that fill staging from files whose header names every column as the schema does."""
    return _pretty(";\n".join(stage_queries(step)))


def stage_queries(step: Stage) -> tuple[str, str]:
    """The same as DuckDB runs them: from the files to the table `batch`, and from there to staging."""
    feed, layout = step.feed, layout_of(step.feed)
    is_json = feed.source.format is Format.JSON
    files = list(enumerate(file.shown for file in step.batch.files))
    source = json_source(layout, files, careful=False) if is_json else csv_source(feed, layout, files, careful=False)
    rows = select_rows(feed, layout, source, list(enumerate(f.name for f in step.batch.files)), is_json=is_json)
    last = staged(feed, step.batch.id, [path for _, path in files], None, DUCKDB)
    return f"INSERT INTO batch {rows}", rendered("batch", [replace(last, where="_texts IS NULL")])


def merge_sql(feed: Feed) -> str:
    """The query that decides what every staged row does to the target."""
    return _pretty(f"-- s: {feed.target.staging}, t: {feed.target.table}\n{classify_sql(feed)}")


def _pretty(sql: str) -> str:
    return ";\n".join(sqlglot.transpile(sql, read=DUCKDB.sqlglot, write=DUCKDB.sqlglot, pretty=True))
