"""Landfeed's own tables in a catalog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from framework.control import COMPACT_FROM
from framework.engines.spark.catalog import CatalogTables
from framework.engines.spark.session import translated
from framework.errors import Conflict
from framework.law.dialects import SPARK
from framework.ledger import COLUMN_TYPES
from framework.names import Table

__all__ = ["CatalogControl"]


class CatalogControl:
    """Implements `framework.control.Control` over the tables of a catalog."""

    def __init__(self, tables: CatalogTables) -> None:
        self._tables = tables

    def append(self, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
        names = list(rows[0])
        ddl = ", ".join(f"{SPARK.name(name)} {COLUMN_TYPES[name]}" for name in names)
        with translated(f"table {table}"):
            data = self._tables.spark.createDataFrame([tuple(row[name] for name in names) for row in rows], ddl)
            if not self._tables.exists(table):
                self._tables.create_like(table, data)
            self._like(table, data).writeTo(self._tables.reference(table)).append()

    def _like(self, table: Table, data: Any) -> Any:
        """The rows with the table's columns, to which those that it has not yet are added."""
        there = dict(self._tables.columns(table))
        new = [name for name in data.columns if name not in there]
        if new:
            added = ", ".join(f"{SPARK.name(name)} {COLUMN_TYPES[name]}" for name in new)
            self._tables.sql(table, f"ALTER TABLE {self._tables.reference(table)} ADD COLUMNS ({added})")
        missing = [(name, type_) for name, type_ in there.items() if name not in data.columns]
        return data.selectExpr("*", *(f"CAST(NULL AS {type_}) AS {SPARK.name(name)}" for name, type_ in missing))

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
        if not self._tables.exists(table):
            return []
        there = {name for name, _ in self._tables.columns(table)}
        if not there.issuperset(where):
            return []
        conditions = [
            f"{column} IN ({', '.join(SPARK.text(value) for value in values)})" for column, values in where.items()
        ]
        if since is not None:
            conditions.append(f"recorded_at >= TIMESTAMP '{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}'")
        source = self._tables.reference(table) + (f" WHERE {' AND '.join(conditions)}" if conditions else "")
        if latest_by is not None:
            ranked = f"row_number() OVER (PARTITION BY {latest_by} ORDER BY recorded_at DESC) AS rank_"
            source = f"(SELECT *, {ranked} FROM {source}) WHERE rank_ <= {newest}"
        shown = [SPARK.name(name) for name, _ in self._tables.columns(table) if not columns or name in columns]
        query = f"SELECT {', '.join(shown)} FROM {source}"
        query += " ORDER BY recorded_at DESC" + (f" LIMIT {limit}" if limit is not None else "")
        return [{name: _utc(value) for name, value in row.asDict().items()} for row in self._tables.sql(table, query)]

    def compact(self, table: Table) -> None:
        if not self._tables.exists(table):
            return
        reference = self._tables.reference(table)
        (detail,) = self._tables.sql(table, f"DESCRIBE DETAIL {reference}")
        if detail["numFiles"] >= COMPACT_FROM:
            try:
                self._tables.sql(table, f"OPTIMIZE {reference}")
            except Conflict:  # another process compacts it
                return


def _utc(value: object) -> object:
    """Spark gives moments in this machine's zone and without it."""
    return value.astimezone(UTC) if isinstance(value, datetime) else value
