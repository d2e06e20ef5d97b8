"""The SQL of a step as Spark runs it, formatted for people."""

from __future__ import annotations

from dataclasses import replace

import sqlglot

from framework.engines.spark.sql import line_field, line_fields, row_query
from framework.feed import Format
from framework.law.dialects import SPARK
from framework.law.staging import KEPT, layout_of, rendered, staged
from framework.steps import Stage

__all__ = ["stage_query", "stage_sql"]


def stage_sql(step: Stage) -> str:
    """The query that fills staging from files whose header names every column as the schema does."""
    return sqlglot.transpile(stage_query(step), read=SPARK.sqlglot, write=SPARK.sqlglot, pretty=True)[0]


def stage_query(step: Stage) -> str:
    """The same as Spark runs it, over `lines` of CSV files, or over `records` that the law read."""
    feed, layout, files = step.feed, layout_of(step.feed), step.batch.files
    records = "records"
    if feed.source.format is Format.CSV:
        options = feed.source.csv
        fields = ", ".join(f"{line_field(options, index)} AS f{index}" for index in range(len(layout.names)))
        records = f"(SELECT *, {fields} FROM (SELECT *, {line_fields(options)} AS fields FROM lines))"
    last = staged(feed, step.batch.id, [file.shown for file in files], None, SPARK)
    return rendered(records, [*row_query(feed, layout, files).selects(), replace(last, where=KEPT)])
