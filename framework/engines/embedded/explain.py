"""The SQL of a step as DuckDB runs it, formatted for people."""

from __future__ import annotations

import sqlglot

from framework.engines.embedded.merging import classify_sql
from framework.engines.embedded.sql import csv_source, json_source, select_rows
from framework.feed import Feed, Format
from framework.law.dialects import DUCKDB
from framework.law.layout import Layout
from framework.law.merging import CASE
from framework.steps import Merge

__all__ = ["merge_sql", "stage_sql"]


def stage_sql(feed: Feed) -> str:
    """The query that reads a file whose header names every column as the schema does."""
    columns = [column for column in feed.columns if column.from_source]
    layout = Layout(
        tuple(column.source_names[0] for column in columns),
        tuple((column.name, index) for index, column in enumerate(columns)),
    )
    is_json = feed.source.format is Format.JSON
    example = [(0, feed.source.path + (feed.source.files or "*"))]
    source = (
        json_source(layout, example, careful=False) if is_json else csv_source(feed, layout, example, careful=False)
    )
    return _pretty(select_rows(feed, layout, source, example, is_json=is_json))


def merge_sql(step: Merge) -> str:
    """The query that tells what every staged row does to the target, and what its cases are."""
    cases = ", ".join(f"{index} {case.outcome}" for index, case in enumerate(step.change.cases))
    return _pretty(f"-- s: {step.staging}, t: {step.target}; {CASE}: {cases}\n{classify_sql(step.change)}")


def _pretty(sql: str) -> str:
    return sqlglot.transpile(sql, read=DUCKDB.sqlglot, write=DUCKDB.sqlglot, pretty=True)[0]
