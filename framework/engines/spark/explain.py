"""The SQL of a step as Spark runs it, formatted for people."""

from __future__ import annotations

import sqlglot

from framework.engines.spark.reading import FAST
from framework.engines.spark.sql import bad, rows, texts_of
from framework.feed import Feed
from framework.law.dialects import SPARK
from framework.law.layout import own_layout
from framework.law.merging import merge_statement
from framework.law.records import READERS
from framework.steps import Merge

__all__ = ["merge_sql", "stage_sql"]


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


def merge_sql(step: Merge) -> str:
    """The MERGE of the staged batch; where rows have no partners, the query that is appended."""
    staged = f"SELECT * FROM {step.staging}"
    if step.change.match is None:
        return f"SELECT {SPARK.names(step.change.columns)} FROM {step.staging}"
    return merge_statement(step.change, step.target.name, staged, step.batch.id, SPARK, classified=False)
