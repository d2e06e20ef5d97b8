"""The columns of a feed's tables."""

from __future__ import annotations

from collections.abc import Iterator

from framework.environment import EngineName
from framework.feed import DeleteMode, Feed
from framework.law.modes import sequence_type
from framework.names import AUDIT_COLUMNS, CHANGE, DELETED_AT, END_AT, SEQUENCE, START_AT
from framework.steps import CreateTable, TableColumn
from framework.types import Scalar

__all__ = ["ignored", "memory_columns", "new_target", "target_columns"]


def new_target(feed: Feed) -> CreateTable:
    """The step that makes the feed's target."""
    target = feed.target
    how = (target.comment, target.partition_by, target.cluster_by, target.table_properties)
    return CreateTable(target.table, target_columns(feed), *how)


def ignored(feed: Feed, engine: str) -> Iterator[str]:
    """What an engine passes over, as sentences."""
    if feed.target.cluster_by and engine == EngineName.EMBEDDED:
        yield "target.cluster_by is ignored: the embedded engine does not cluster tables"


def target_columns(feed: Feed) -> tuple[TableColumn, ...]:
    """The columns of the feed's target table, those of its mode and audit columns included."""
    target, at = feed.target, sequence_type(feed)
    columns = [TableColumn(column.name, column.type, column.description) for column in feed.target_columns]
    if target.audit_columns:
        source, batch, loaded = AUDIT_COLUMNS
        columns.append(TableColumn(source, Scalar("string"), "File that the row was last written from"))
        columns.append(TableColumn(batch, Scalar("string"), "Batch that last wrote the row"))
        columns.append(TableColumn(loaded, Scalar("timestamp"), "When that batch was staged"))
    if target.scd_type == 2:
        columns.append(TableColumn(START_AT, at, "Sequence from which on the row counts"))
        columns.append(TableColumn(END_AT, at, "Sequence before which the row counts, NULL for the current row"))
    elif target.delete_mode is DeleteMode.SOFT:
        columns.append(TableColumn(DELETED_AT, at, "When the row was deleted, NULL for one that is not"))
    return tuple(columns)


def memory_columns(feed: Feed) -> tuple[TableColumn, ...]:
    """The columns of the table that `memory_table` names."""
    keys = [column for column in feed.columns if column.name in feed.target.keys]
    values = [column for column in feed.target_columns if column.name not in feed.target.keys]
    text = Scalar("string")
    columns = [
        TableColumn("_feed", text),
        TableColumn("_batch", Scalar("bigint"), "Number of the batch"),
        TableColumn("_batch_id", text),
        TableColumn(CHANGE, text, "upsert, delete or truncate"),
        TableColumn(SEQUENCE, sequence_type(feed)),
        *(TableColumn(column.name, column.type) for column in keys),
    ]
    if feed.target.scd_type == 2:
        columns += [TableColumn(column.name, column.type) for column in values]
        if feed.target.audit_columns:
            source, _, loaded = AUDIT_COLUMNS
            columns += [TableColumn(source, text), TableColumn(loaded, Scalar("timestamp"))]
    return tuple(columns)
