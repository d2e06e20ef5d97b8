"""The SQL with which Spark makes rows of records, and tells the reasons of bad ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from framework.feed import Feed, Reference
from framework.law.dialects import SPARK
from framework.law.layout import Layout
from framework.law.rescue import rescued_fields
from framework.law.staging import RowQuery, moments
from framework.names import File
from framework.steps import CreateTable, TableColumn

__all__ = [
    "column_ddl",
    "layout_ddl",
    "row_query",
]


def column_ddl(column: TableColumn) -> str:
    """A column as CREATE TABLE and ADD COLUMNS name it."""
    told = f" COMMENT {SPARK.text(column.comment)}" if column.comment else ""
    return f"{SPARK.name(column.name)} {SPARK.type(column.type)}{told}"


def layout_ddl(step: CreateTable) -> str:
    """What CREATE TABLE says behind the columns."""
    parts = ["USING DELTA"]
    if step.partition_by:
        parts.append(f"PARTITIONED BY ({SPARK.names(step.partition_by)})")
    if step.cluster_by:
        parts.append(f"CLUSTER BY ({SPARK.names(step.cluster_by)})")
    if step.comment:
        parts.append(f"COMMENT {SPARK.text(step.comment)}")
    if step.properties:
        pairs = (f"{SPARK.text(key)} = {SPARK.text(value)}" for key, value in step.properties)
        parts.append(f"TBLPROPERTIES ({', '.join(pairs)})")
    return " ".join(parts)


def row_query(
    feed: Feed, layout: Layout, files: Sequence[File], audit: Mapping[str, str], known: Mapping[Reference, str]
) -> RowQuery:
    """How the records of a `Frame` become rows. What is filtered by the verdict must not make Spark compute the
    values twice, once for the filter: it moves no filter below a column that differs each time."""
    fields = {name: f"f{index}" for name, index in layout.fields}
    names = {index: file.landed.name for index, file in enumerate(files)}
    told, rescued = moments(layout), rescued_fields(layout)
    asked = (SPARK, fields, names, "_why", SPARK.once, audit)
    return RowQuery(feed, *asked, moments=told, rescued=rescued, known=known)
