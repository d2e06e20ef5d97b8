"""The SQL of a step as Spark runs it, formatted for people."""

from __future__ import annotations

import sqlglot

from framework.engines.spark.reading import FAST
from framework.engines.spark.sql import bad, rows, texts_of
from framework.feed import Feed
from framework.law.dialects import SPARK
from framework.law.layout import own_layout
from framework.law.records import READERS

__all__ = ["stage_sql"]


def stage_sql(feed: Feed) -> str:
    """The query that reads a file whose header names every column as the schema does."""
    layout = own_layout(feed, READERS[feed.source.format].kind)
    texts = texts_of(feed, layout, [])
    fast = FAST.get(feed.source.format)
    records = "SELECT * FROM records" if fast is None else fast.example(feed, layout)
    named = ", ".join(f"{texts[column.name]} AS t{i}" for i, column in enumerate(feed.columns) if column.name in texts)
    values = ", ".join(rows(feed, list(texts)))
    result = ", ".join(f"v{index} AS {SPARK.name(column.name)}" for index, column in enumerate(feed.columns))
    query = (
        f"SELECT {result} FROM (SELECT *, {bad(feed, list(texts))} AS _bad "
        f"FROM (SELECT *, {values} FROM (SELECT *, {named} FROM ({records})))) WHERE NOT _bad"
    )
    return sqlglot.transpile(query, read=SPARK.sqlglot, write=SPARK.sqlglot, pretty=True)[0]
