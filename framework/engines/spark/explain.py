"""The SQL of a step as Spark runs it, formatted for people."""

from __future__ import annotations

import sqlglot

from framework.engines.spark.sql import bad, line_field, line_fields, rows, texts_of
from framework.feed import Feed, Format
from framework.law.dialects import SPARK
from framework.law.layout import Layout
from framework.law.merging import merge_statement
from framework.steps import Merge

__all__ = ["merge_sql", "stage_sql"]


def stage_sql(feed: Feed) -> str:
    """The query that reads a file whose header names every column as the schema does."""
    columns = [column for column in feed.columns if column.from_source]
    layout = Layout(
        tuple(column.source_names[0] for column in columns),
        tuple((column.name, index) for index, column in enumerate(columns)),
    )
    texts = texts_of(feed, layout, [])
    if feed.source.format is Format.CSV:
        fields = ", ".join(f"{line_field(feed.source.csv, index)} AS f{index}" for index in range(len(columns)))
        records = f"SELECT *, {fields} FROM (SELECT value, {line_fields(feed.source.csv)} AS fields FROM lines)"
    else:
        records = "SELECT * FROM records"
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
