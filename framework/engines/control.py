"""Landfeed's own tables on delta-rs alone, so that a run with nothing to do need not start DuckDB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from arro3.core import Array, DataType, Field, Schema
from arro3.core import Table as ArrowTable
from deltalake import CommitProperties, DeltaTable, QueryBuilder, write_deltalake
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from framework.engines.delta import DeltaTables, translated
from framework.errors import Conflict
from framework.law.dialects import DATAFUSION
from framework.ledger import COLUMN_TYPES
from framework.names import Table

__all__ = ["append_rows", "select_rows"]

_COMPACT_EVERY = 100
"""A control table is compacted every so many commits: every run reads it."""
_ATTEMPTS = 5
"""Of several runners whose append makes the table, delta-rs refuses all but one; the table is then there."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ARROW = {
    "string": DataType.utf8(),
    "bigint": DataType.int64(),
    "double": DataType.float64(),
    "timestamp": DataType.timestamp("us", tz="UTC"),
}


def append_rows(tables: DeltaTables, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Append rows, making the table from the columns that the ledger declares."""
    fields, arrays = [], []
    for name in rows[0]:
        type_ = _ARROW[COLUMN_TYPES[name]]
        fields.append(Field(name, type_, nullable=True))
        arrays.append(_array([row[name] for row in rows], type_))
    data = ArrowTable.from_arrays(arrays, schema=Schema(fields))
    for attempt in Retrying(retry=retry_if_exception_type(Conflict), stop=stop_after_attempt(_ATTEMPTS), reraise=True):
        with attempt:
            delta = _append(tables, table, data)
    if delta is not None and delta.version() % _COMPACT_EVERY == 0:
        with translated(table):
            delta.optimize.compact()


def _append(tables: DeltaTables, table: Table, data: ArrowTable) -> DeltaTable | None:
    """Append to the table, which is returned; None when it was not there and the append made it."""
    delta = tables.kept(table)
    target = tables.uri(table) if delta is None else delta
    properties = CommitProperties(max_commit_retries=0 if delta is None else 100)
    options = tables.options if delta is None else None
    with translated(table):
        write_deltalake(target, data, mode="append", commit_properties=properties, storage_options=options)
    return delta


def _array(values: list[Any], type_: DataType) -> Array:
    """An Arrow array; arro3 makes timestamps only from numbers."""
    if not DataType.is_timestamp(type_):
        return Array(values, type_)
    micros = [None if value is None else (value - _EPOCH) // timedelta(microseconds=1) for value in values]
    return Array(micros, DataType.int64()).cast(type_)


def select_rows(
    tables: DeltaTables,
    table: Table,
    where: Mapping[str, Sequence[str]],
    *,
    latest_by: str | None,
    limit: int | None,
) -> list[dict[str, object]]:
    """See `Engine.select`."""
    delta = tables.kept(table)
    if delta is None:
        return []
    source = "ledger"
    if latest_by is not None:
        ranked = f"row_number() OVER (PARTITION BY {latest_by} ORDER BY recorded_at DESC) AS rank_"
        source = f"(SELECT * FROM (SELECT *, {ranked} FROM ledger) WHERE rank_ = 1)"
    names = ", ".join(field.name for field in delta.schema().fields)
    conditions = [f"{column} IN ({', '.join(DATAFUSION.text(v) for v in values)})" for column, values in where.items()]
    query = f"SELECT {names} FROM {source}"
    query += f" WHERE {' AND '.join(conditions)}" if conditions else ""
    query += " ORDER BY recorded_at DESC" + (f" LIMIT {limit}" if limit is not None else "")
    with translated(table):
        found = QueryBuilder().register("ledger", delta).execute(query).read_all()
    columns = {name: found.column(name).to_pylist() for name in found.column_names}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
