"""The SQL of a step as Spark runs it, formatted for people."""

from __future__ import annotations

from dataclasses import replace

import sqlglot

from framework.engines.spark.reading import FAST
from framework.engines.spark.sql import row_query
from framework.law.dialects import SPARK
from framework.law.layout import own_layout
from framework.law.masks import without_keys
from framework.law.merging import merge_statement
from framework.law.records import READERS
from framework.law.relations import relations
from framework.law.selects import rendered
from framework.law.staging import KEPT, audit_values, staged
from framework.steps import Merge, Stage

__all__ = ["merge_sql", "stage_query", "stage_sql"]


def stage_sql(step: Stage) -> str:
    """The query that fills staging from files whose header names every column as the schema does."""
    shown = replace(step, feed=without_keys(step.feed))
    return sqlglot.transpile(stage_query(shown), read=SPARK.sqlglot, write=SPARK.sqlglot, pretty=True)[0]


def stage_query(step: Stage) -> str:
    """The same as Spark runs it, over `lines` of CSV files, or over `records` that the law read."""
    feed, files = step.feed, step.batch.files
    layout = own_layout(feed, READERS[feed.source.format].kind)
    fast = FAST.get(feed.source.format)
    records = fast.example(feed, layout) if fast is not None else "records"
    audit = audit_values(step.batch.id, [file.shown for file in files], None, SPARK)
    last = staged(feed, step.batch.id, [file.shown for file in files], None, SPARK)
    return rendered(records, [*row_query(feed, layout, files, audit, {}).selects(), replace(last, where=KEPT)])


def merge_sql(step: Merge) -> str:
    """The MERGE of the staged batch; where rows have no partners, the query that is appended."""
    source = f"SELECT * FROM {step.staging}"
    if step.change.match is None:
        return f"SELECT {SPARK.names(step.change.columns)} FROM {step.staging}"
    if not step.change.plain:
        told = relations(step.change, SPARK)
        return ";\n".join(f"CREATE TEMPORARY VIEW {name} AS {query}" for name, query in told)
    return merge_statement(step.change, step.target.name, source, step.batch.id, SPARK, classified=False)
