"""The SQL of a step as DuckDB runs it, formatted for people."""

from __future__ import annotations

import sqlglot

from framework.engines.embedded.merging import classify_sql
from framework.engines.embedded.readers import FAST
from framework.engines.embedded.sql import select_rows
from framework.feed import Feed
from framework.law.dialects import DUCKDB
from framework.law.layout import own_layout
from framework.law.records import READERS
from framework.opening import Compression

__all__ = ["merge_sql", "stage_sql"]


def stage_sql(feed: Feed) -> str:
    """The query that reads a file whose header names every column as the schema does."""
    kind = READERS[feed.source.format].kind
    layout, example = own_layout(feed, kind), [(0, feed.source.path + (feed.source.files or "*"))]
    fast = FAST.get(feed.source.format)
    source = "SELECT *, 0 AS _bytes, 0 AS _quotes FROM records"
    if fast is not None:
        source = fast.source(feed, layout, example, Compression.NONE)
    return _pretty(select_rows(feed, layout, source, example))


def merge_sql(feed: Feed) -> str:
    """The query that decides what every staged row does to the target."""
    return _pretty(f"-- s: {feed.target.staging}, t: {feed.target.table}\n{classify_sql(feed)}")


def _pretty(sql: str) -> str:
    return sqlglot.transpile(sql, read=DUCKDB.sqlglot, write=DUCKDB.sqlglot, pretty=True)[0]
