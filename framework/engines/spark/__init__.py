"""The Spark engine: PySpark with Delta Lake, locally and on Databricks, with calls that Spark Connect has.

Spark starts with the first step of a plan. Below a root, what tables hold and Landfeed's own tables are read
(and the latter written) with delta-rs, so that a run with nothing to do needs no JVM; in a catalog Spark is
asked, which is there anyway.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from framework.batch import Manifest
from framework.engine import BadRows, Merged, Preview, Seal, Staged, TableState, Upkeep, Where
from framework.engines.preview import Previewed
from framework.engines.spark.away import Executors
from framework.engines.spark.explain import merge_sql, stage_sql
from framework.engines.spark.merging import Merging
from framework.engines.spark.reading import FAST
from framework.engines.spark.session import open_session, translated
from framework.engines.spark.shipping import Shipping
from framework.engines.spark.sql import column_ddl
from framework.engines.spark.staging import Staging
from framework.engines.spark.tables import SparkTables
from framework.environment import Environment
from framework.feed import Feed
from framework.law.dialects import SPARK
from framework.law.layout import Layout
from framework.law.reasons import quarantine_reasons
from framework.names import Table
from framework.opening import Piece, SourceFile
from framework.steps import AddColumns, CreateTable, Discard, Merge, Stage, WidenColumns

__all__ = ["SparkEngine"]


class SparkEngine:
    """Implements `framework.engine.Engine` over the tables of an environment."""

    def __init__(
        self, environment: Environment, environ: Mapping[str, str], *, executors_from: int | None = None
    ) -> None:
        """Batches of `executors_from` bytes and more are read by executors."""
        self.tables = _tables(environment, environ)
        self._executors = Executors(lambda: self.tables.spark, Shipping(environ), executors_from)

    def state(self, table: Table, feed: str) -> TableState | None:
        return self.tables.state(table, feed)

    def manifest(self, table: Table, feed: str, seq: int) -> tuple[Manifest, int] | None:
        return self.tables.manifest(table, feed, seq)

    def manifests(self, table: Table, feed: str) -> list[Manifest]:
        return self.tables.manifests(table, feed)

    def reads_in_place(self, feed: Feed, source: SourceFile) -> bool:
        fast = FAST.get(feed.source.format)
        return fast is not None and fast.can_read(feed, source)

    def open_away(self, feed: Feed, sources: Mapping[int, SourceFile], size: int) -> Mapping[int, Sequence[Piece]]:
        return self._executors.open(feed, sources, size)

    def survey(self, piece: Piece, feed: Feed) -> Layout | None:
        del piece, feed  # the law has opened the file before Spark has started
        return None

    def stage(self, step: Stage, pieces: Sequence[Piece], loaded_at: datetime, seal: Seal) -> Staged:
        with translated(f"feed {step.feed.name}"):
            return Staging(self.tables, self._executors, step, pieces, loaded_at).stage(seal)

    def create(self, step: CreateTable) -> None:
        self.tables.create(step)

    def add_columns(self, step: AddColumns) -> None:
        state = self.tables.state(step.table, "")
        there = {name.lower() for name, _ in state.columns} if state else set()
        missing = [column for column in step.columns if column.name.lower() not in there]
        if state is not None and missing:
            self.tables.prepare_columns(step.table, state, missing)
            table, columns = self.tables.reference(step.table), ", ".join(column_ddl(column) for column in missing)
            self.tables.sql(step.table, f"ALTER TABLE {table} ADD COLUMNS ({columns})")

    def widen(self, step: WidenColumns) -> None:
        self.tables.widen(step)

    def to_rewrite(self, step: WidenColumns) -> int | None:
        return 0 if self.tables.widens_in_place(step) else self.tables.size(step.table)

    def merge(self, step: Merge, manifest: Manifest, staging_version: int) -> Merged:
        with translated(f"feed {step.batch.feed}"):
            return Merging(self.tables, step, manifest, staging_version).merge()

    def discard(self, step: Discard) -> None:
        if self.tables.version(step.table) >= 0:
            feed, batch = SPARK.text(step.feed), SPARK.text(step.batch_id)
            where = f"_feed = {feed} AND _batch_id = {batch}"
            self.tables.sql(step.table, f"DELETE FROM {self.tables.reference(step.table)} WHERE {where}")

    def take_over(self, table: Table, source: Table, manifest: Manifest | None) -> int:
        return self.tables.take_over(table, source, manifest)

    def upkeep(self, table: Table, *, compact: bool, dry_run: bool) -> Upkeep:
        return self.tables.upkeep(table, compact=compact, dry_run=dry_run)

    def expire(self, table: Table, feed: str, before: datetime, *, dry_run: bool) -> int:
        return self.tables.expire(table, feed, before, dry_run=dry_run)

    def rows(self, table: Table) -> int | None:
        return self.tables.rows(table)

    def preview(
        self, table: Table, limit: int, newest_by: str | None = None, where: Where | None = None
    ) -> Preview | None:
        state = self.tables.state(table, "")
        if state is None:
            return None
        preview = Previewed(state.columns, SPARK, where)
        return preview.of(self.tables.sql(table, preview.query(self.tables.reference(table), limit, newest_by)))

    def bad_rows(self, feed: Feed, batch_id: str | None, file: str | None) -> list[BadRows]:
        table = feed.quarantine.table
        if self.tables.version(table) < 0:
            return []
        query = quarantine_reasons(self.tables.reference(table), feed.name, batch_id, file, SPARK)
        return [BadRows.of(row) for row in self.tables.sql(table, query)]

    def sql(self, step: Stage | Merge) -> str:
        return stage_sql(step) if isinstance(step, Stage) else merge_sql(step)

    def close(self) -> None:
        """The session stays: others in this process may use it, and it ends with the process."""


def _tables(environment: Environment, environ: Mapping[str, str]) -> SparkTables:
    if environment.root is None:
        from framework.engines.spark.catalog import CatalogTables

        return CatalogTables(lambda: open_session(environment, environ), environment.catalog or "")
    from framework.engines.delta import DeltaTables
    from framework.engines.delta_storage import storage_options
    from framework.engines.spark.paths import PathTables

    logs = DeltaTables(environment.root, storage_options(environment, environ))
    return PathTables(lambda: open_session(environment, environ), logs)
