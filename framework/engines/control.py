"""Landfeed's own tables on delta-rs alone, so that a run with nothing to do need not start DuckDB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from arro3.core import Array, DataType, Field, Schema
from arro3.core import Table as ArrowTable
from deltalake import CommitProperties, QueryBuilder, write_deltalake
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from framework.control import COMPACT_FROM
from framework.engines.delta import DeltaTables
from framework.engines.delta_errors import translated
from framework.errors import Conflict
from framework.law.dialects import DATAFUSION
from framework.ledger import COLUMN_TYPES
from framework.names import Table

__all__ = ["DeltaControl"]

_ATTEMPTS = 5
"""Of several runners whose append makes the table, delta-rs refuses all but one; the table is then there."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ARROW = {
    "string": DataType.utf8(),
    "bigint": DataType.int64(),
    "double": DataType.float64(),
    "boolean": DataType.bool(),
    "timestamp": DataType.timestamp("us", tz="UTC"),
}


class DeltaControl:
    """Implements `framework.control.Control` over the tables below a root, for every engine."""

    def __init__(self, tables: DeltaTables) -> None:
        self._tables = tables

    def append(self, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
        fields, arrays = [], []
        for name in rows[0]:
            type_ = _ARROW[COLUMN_TYPES[name]]
            fields.append(Field(name, type_, nullable=True))
            arrays.append(_array([row[name] for row in rows], type_))
        data = ArrowTable.from_arrays(arrays, schema=Schema(fields))
        again = retry_if_exception_type(Conflict)
        for attempt in Retrying(retry=again, stop=stop_after_attempt(_ATTEMPTS), reraise=True):
            with attempt:
                self._append(table, data)

    def _append(self, table: Table, data: ArrowTable) -> None:
        delta = self._tables.kept(table)
        if delta is None:
            properties, options = CommitProperties(max_commit_retries=0), self._tables.options
            with translated(table):
                write_deltalake(
                    self._tables.uri(table), data, mode="append", commit_properties=properties, storage_options=options
                )
            return
        same = {field.name for field in delta.schema().fields} == set(data.column_names)
        properties = CommitProperties(max_commit_retries=100)
        with translated(table):
            write_deltalake(
                delta, data, mode="append", schema_mode=None if same else "merge", commit_properties=properties
            )

    def select(
        self,
        table: Table,
        where: Mapping[str, Sequence[str]],
        *,
        latest_by: str | None = None,
        newest: int = 1,
        since: datetime | None = None,
        limit: int | None = None,
        columns: Sequence[str] = (),
    ) -> list[dict[str, object]]:
        delta = self._tables.kept(table)
        if delta is None:
            return []
        there = [field.name for field in delta.schema().fields]
        if not set(there).issuperset(where):
            return []
        conditions = [
            f"{column} IN ({', '.join(DATAFUSION.text(v) for v in values)})" for column, values in where.items()
        ]
        if since is not None:
            conditions.append(f"recorded_at >= TIMESTAMP '{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}'")
        source = "ledger" + (f" WHERE {' AND '.join(conditions)}" if conditions else "")
        if latest_by is not None:
            ranked = f"row_number() OVER (PARTITION BY {latest_by} ORDER BY recorded_at DESC) AS rank_"
            source = f"(SELECT *, {ranked} FROM {source}) WHERE rank_ <= {newest}"
        shown = [name for name in there if not columns or name in columns]
        query = f"SELECT {', '.join(DATAFUSION.name(name) for name in shown)} FROM {source}"
        query += " ORDER BY recorded_at DESC" + (f" LIMIT {limit}" if limit is not None else "")
        with translated(table):
            found = QueryBuilder().register("ledger", delta).execute(query).read_all()
        values = {name: found.column(name).to_pylist() for name in found.column_names}
        return [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]

    def compact(self, table: Table) -> None:
        delta = self._tables.kept(table)
        if delta is None or len(delta.file_uris()) < COMPACT_FROM:
            return
        try:
            with translated(table):
                delta.optimize.compact()
        except Conflict:  # another process compacts it
            return


def _array(values: list[Any], type_: DataType) -> Array:
    """An Arrow array; arro3 makes timestamps only from numbers."""
    if not DataType.is_timestamp(type_):
        return Array(values, type_)
    micros = [None if value is None else (value - _EPOCH) // timedelta(microseconds=1) for value in values]
    return Array(micros, DataType.int64()).cast(type_)
