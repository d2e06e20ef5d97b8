"""Widening: a table is written anew with wider types, in one commit. delta-rs cannot widen types in place."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import duckdb
from arro3.core import RecordBatch, RecordBatchReader
from arro3.core import Schema as ArrowSchema
from deltalake import CommitProperties, DeltaTable, QueryBuilder, Schema, write_deltalake

from framework.engines.delta import DeltaTables
from framework.engines.delta_errors import translated
from framework.engines.delta_schema import delta_schema
from framework.errors import LandfeedError
from framework.law.dialects import DUCKDB
from framework.law.widening import widened
from framework.steps import TableColumn, WidenColumns
from framework.types import DataType

__all__ = ["widen"]


def widen(db: duckdb.DuckDBPyConnection, tables: DeltaTables, step: WidenColumns) -> None:
    """See `Engine.widen`."""
    table, delta = step.table, tables.open(step.table)
    if delta is None:
        return
    there = dict(tables.columns(delta))
    new = {column.name: column.type for column in step.columns if there.get(column.name) != str(column.type)}
    if not new:
        return
    tables.writable(delta, table)
    items = [
        f"{widened(DUCKDB.name(name), type_, new[name], step.zone, DUCKDB)} AS {DUCKDB.name(name)}"
        if name in new
        else DUCKDB.name(name)
        for name, type_ in there.items()
    ]
    schema, before = _wider(delta, new), tables.records_in(delta)
    with translated(table):
        db.register("there", QueryBuilder().register("t", delta).execute("SELECT * FROM t"))
        rows = db.sql(f"SELECT {', '.join(items)} FROM there")
        write_deltalake(
            delta,
            RecordBatchReader.from_batches(schema, _batches(rows, schema)),
            mode="overwrite",
            schema_mode="overwrite",
            partition_by=delta.metadata().partition_columns or None,
            commit_properties=CommitProperties(max_commit_retries=0),
        )
        db.unregister("there")
    after = tables.records_in(delta)
    if after != before:
        raise LandfeedError(
            f"table {table} had {before} rows and has {after} since its types were widened",
            "this is a defect in Landfeed: put the version before back (RESTORE), and report it",
            code="conservation",
        )


def _wider(delta: DeltaTable, new: Mapping[str, DataType]) -> ArrowSchema:
    """The table's schema with other types, and all else that it says of its columns."""
    document = json.loads(delta.schema().to_json())
    for field in document["fields"]:
        if field["name"] in new:
            made = delta_schema([TableColumn(field["name"], new[field["name"]])])
            field["type"] = json.loads(made.to_json())["fields"][0]["type"]
    return ArrowSchema.from_arrow(Schema.from_json(json.dumps(document)).to_arrow())


def _batches(rows: duckdb.DuckDBPyRelation, schema: ArrowSchema) -> Iterator[RecordBatch]:
    for batch in RecordBatchReader.from_arrow(rows):
        types = [schema.field(index).type for index in range(len(schema.names))]
        columns = [column.cast(type_) for column, type_ in zip(batch.columns, types, strict=True)]
        yield RecordBatch.from_arrays(columns, schema=schema)
