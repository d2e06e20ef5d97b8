"""The Spark engine: PySpark with Delta Lake, locally and on Databricks, with calls that Spark Connect has.

Spark starts with the first step of a plan. What tables hold and Landfeed's own tables are read (and
the latter written) with delta-rs, so that a run with nothing to do needs no JVM.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime

from framework.batch import Manifest
from framework.engine import Merged, Preview, Seal, SourceFile, TableState
from framework.engines.control import append_rows, select_rows
from framework.engines.delta import DeltaTables
from framework.engines.spark.explain import stage_sql
from framework.engines.spark.merging import Merging, merge_statement
from framework.engines.spark.session import open_session, translated
from framework.engines.spark.sql import name_of, spark_type
from framework.engines.spark.staging import Staging
from framework.engines.spark.tables import SparkTables
from framework.feed import Feed
from framework.names import Table
from framework.rules import literal
from framework.steps import AddColumns, CreateTable, Discard, Merge, Stage

__all__ = ["SparkEngine"]


class SparkEngine:
    """Implements `framework.engine.Engine` over the tables below `root` (a local path)."""

    def __init__(self, root: str, storage_options: Mapping[str, str] | None = None) -> None:
        self._logs = DeltaTables(root, storage_options or {})
        self._lock = threading.Lock()
        self._tables: SparkTables | None = None

    @property
    def tables(self) -> SparkTables:
        """The tables as Spark has them; starts Spark."""
        with self._lock:
            if self._tables is None:
                self._tables = SparkTables(open_session(), self._logs)
            return self._tables

    def state(self, table: Table, feed: str) -> TableState | None:
        return self._logs.state(table, feed)

    def manifest(self, table: Table, feed: str, seq: int) -> tuple[Manifest, int] | None:
        return self._logs.manifest(table, feed, seq)

    def stage(
        self, step: Stage, sources: Sequence[SourceFile], loaded_at: datetime, seal: Seal
    ) -> tuple[Manifest, int]:
        return Staging(self.tables, step, sources, loaded_at).stage(seal)

    def create(self, step: CreateTable) -> None:
        self._logs.create(step.table, step.columns, step.comment)

    def add_columns(self, step: AddColumns) -> None:
        state = self._logs.state(step.table, "")
        there = {name.lower() for name, _ in state.columns} if state else set()
        missing = [column for column in step.columns if column.name.lower() not in there]
        if state is None or not missing:
            return
        listed = ", ".join(
            f"{name_of(column.name)} {spark_type(column.type)}"
            + (f" COMMENT {literal(column.comment, 'spark')}" if column.comment else "")
            for column in missing
        )
        self.tables.sql(step.table, f"ALTER TABLE {self.tables.reference(step.table)} ADD COLUMNS ({listed})")

    def merge(self, step: Merge, manifest: Manifest, staging_version: int) -> Merged:
        return Merging(self.tables, step.feed, manifest, staging_version).merge()

    def discard(self, step: Discard) -> None:
        if self._logs.open(step.table) is not None:
            feed, batch = literal(step.feed, "spark"), literal(step.batch_id, "spark")
            where = f"_feed = {feed} AND _batch_id = {batch}"
            self.tables.sql(step.table, f"DELETE FROM {self.tables.reference(step.table)} WHERE {where}")

    def append(self, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
        append_rows(self._logs, table, rows)

    def select(
        self,
        table: Table,
        where: Mapping[str, Sequence[str]],
        *,
        latest_by: str | None = None,
        limit: int | None = None,
    ) -> list[dict[str, object]]:
        return select_rows(self._logs, table, where, latest_by=latest_by, limit=limit)

    def preview(self, table: Table, limit: int) -> Preview | None:
        state = self._logs.state(table, "")
        if state is None:
            return None
        listed = ", ".join(f"CAST({name_of(name)} AS STRING) AS {name_of(name)}" for name, _ in state.columns)
        order = ", ".join(str(index + 1) for index in range(len(state.columns)))
        query = f"SELECT {listed} FROM {self.tables.reference(table)} ORDER BY {order} LIMIT {limit}"
        with translated(f"table {table}"):
            found = self.tables.spark.sql(query).collect()
        return Preview(tuple(name for name, _ in state.columns), tuple(tuple(row) for row in found))

    def sql(self, feed: Feed, step: Stage | Merge) -> str:
        if isinstance(step, Stage):
            return stage_sql(feed)
        return merge_statement(feed, feed.target.table.name, f"SELECT * FROM {feed.target.staging}", step.batch.id)

    def close(self) -> None:
        """The session stays: others in this process may use it, and it ends with the process."""
