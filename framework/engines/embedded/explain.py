"""The SQL of a step as DuckDB runs it, formatted for people."""

from __future__ import annotations

from dataclasses import replace

import sqlglot

from framework.engines.embedded.merging import classify_sql
from framework.engines.embedded.readers import FAST
from framework.engines.embedded.sql import LEFT, select_rows
from framework.law.checks import asks
from framework.law.dialects import DUCKDB
from framework.law.layout import own_layout
from framework.law.masks import without_keys
from framework.law.merging import CASE
from framework.law.records import READERS
from framework.law.selects import rendered
from framework.law.staging import audit_values, staged
from framework.opening import Compression
from framework.steps import Merge, Stage

__all__ = ["merge_sql", "stage_queries", "stage_sql"]


def stage_sql(step: Stage) -> str:
    """The queries that fill staging from files whose header names every column as the schema does."""
    return _pretty(";\n".join(stage_queries(replace(step, feed=without_keys(step.feed)))))


def stage_queries(step: Stage) -> tuple[str, str]:
    """The same as DuckDB runs them: from the files to the table `batch`, and from there to staging."""
    feed = step.feed
    layout = own_layout(feed, READERS[feed.source.format].kind)
    files = list(enumerate(file.shown for file in step.batch.files))
    fast = FAST.get(feed.source.format)
    source = "SELECT *, 0 AS _bytes, 0 AS _quotes FROM records"
    if fast is not None:
        source = fast.source(feed, layout, files, Compression.NONE)
    audit = audit_values(step.batch.id, [path for _, path in files], None, DUCKDB)
    rows = select_rows(feed, layout, source, list(enumerate(file.name for file in step.batch.files)), audit)
    last = staged(feed, step.batch.id, [path for _, path in files], None, DUCKDB)
    clean = f"_texts IS NULL AND {LEFT} IS NULL" if asks(feed) else "_texts IS NULL"
    return f"INSERT INTO batch {rows}", rendered("batch", [replace(last, where=clean)])


def merge_sql(step: Merge) -> str:
    """The query that tells what every staged row does to the target, and what its cases are."""
    cases = ", ".join(
        f"{index} {case.outcome or case.write.__class__.__name__.lower()}"
        for index, case in enumerate(step.change.cases)
    )
    memory = f", c: {step.memory}" if step.memory is not None else ""
    told = ";\n".join(classify_sql(step.change))
    return _pretty(f"-- s: {step.staging}, t: {step.target}{memory}; {CASE}: {cases}\n{told}")


def _pretty(sql: str) -> str:
    return ";\n".join(sqlglot.transpile(sql, read=DUCKDB.sqlglot, write=DUCKDB.sqlglot, pretty=True))
