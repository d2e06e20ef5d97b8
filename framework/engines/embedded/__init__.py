"""The embedded engine: DuckDB reads, checks and compares, delta-rs writes Delta tables. No JVM, no server.

DuckDB and what works with it are imported when there is something to do: a run that finds nothing is over sooner.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING

from framework.batch import Manifest
from framework.engine import BadRows, Merged, Preview, Seal, Staged, TableState, Upkeep, Where
from framework.engines import delta_upkeep
from framework.engines.delta import DeltaTables
from framework.engines.delta_errors import translated
from framework.engines.delta_schema import delta_schema
from framework.errors import cannot_load
from framework.feed import Feed
from framework.machine import own_folder
from framework.names import Table
from framework.steps import AddColumns, CreateTable, Discard, Merge, Stage, WidenColumns

if TYPE_CHECKING:
    import duckdb

    from framework.engines.embedded.database import Database
    from framework.engines.embedded.writing import Writer
    from framework.law.layout import Layout
    from framework.opening import Piece, SourceFile

__all__ = ["EmbeddedEngine"]


class EmbeddedEngine:
    """Implements `framework.engine.Engine` over the tables below `root` (a local path or a gs:// URI)."""

    def __init__(
        self,
        root: str,
        storage_options: Mapping[str, str] | None = None,
        write: Writer | None = None,
        *,
        memory_limit: int | None = None,
    ) -> None:
        """`memory_limit` is in bytes. Raises ImportError when DuckDB is not installed."""
        if find_spec("duckdb") is None:
            raise ModuleNotFoundError("No module named 'duckdb'", name="duckdb")
        self.tables, self.write = DeltaTables(root, storage_options or {}), write
        self._lock, self._memory_limit = threading.Lock(), memory_limit
        self._database: Database | None = None
        self._open = contextlib.ExitStack()
        self._spill = self._open.enter_context(own_folder())

    @contextlib.contextmanager
    def _connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of its own to the one DuckDB, which starts when it is first needed."""
        with self._lock:
            if self._database is None:
                try:
                    from framework.engines.embedded.database import Database
                except ImportError as error:
                    raise cannot_load("embedded", error) from error
                self._database = self._open.enter_context(contextlib.closing(Database(self._spill, self._memory_limit)))
        with self._database.connection() as connection:
            yield connection

    def state(self, table: Table, feed: str) -> TableState | None:
        return self.tables.state(table, feed)

    def manifest(self, table: Table, feed: str, seq: int) -> tuple[Manifest, int] | None:
        return self.tables.manifest(table, feed, seq)

    def manifests(self, table: Table, feed: str) -> list[Manifest]:
        return self.tables.manifests(table, feed)

    def reads_in_place(self, feed: Feed, source: SourceFile) -> bool:
        del feed, source  # DuckDB reads what was opened
        return False

    def open_away(self, feed: Feed, sources: Mapping[int, SourceFile], size: int) -> Mapping[int, Sequence[Piece]]:
        del feed, sources, size  # it has no workers but this process
        return {}

    def survey(self, piece: Piece, feed: Feed) -> Layout | None:
        from framework.engines.embedded.readers import SURVEYS
        from framework.engines.embedded.reading import survey

        if feed.source.format not in SURVEYS:
            return None
        with self._connection() as connection:
            return survey(connection, piece, feed)

    def stage(self, step: Stage, pieces: Sequence[Piece], loaded_at: datetime, seal: Seal) -> Staged:
        with self._connection() as connection:
            from framework.engines.embedded.staging import Staging

            return Staging(connection, self.tables).stage(step, pieces, loaded_at, seal)

    def create(self, step: CreateTable) -> None:
        self.tables.create(step)

    def add_columns(self, step: AddColumns) -> None:
        delta = self.tables.open(step.table)
        if delta is None:
            return
        there = {field.name.lower() for field in delta.schema().fields}
        missing = tuple(column for column in step.columns if column.name.lower() not in there)
        if missing:
            self.tables.writable(delta, step.table)
            with translated(step.table):
                delta.alter.add_columns(delta_schema(missing).fields)

    def widen(self, step: WidenColumns) -> None:
        with self._connection() as connection:
            from framework.engines.embedded.widening import widen

            widen(connection, self.tables, step)

    def to_rewrite(self, step: WidenColumns) -> int | None:
        return delta_upkeep.size(self.tables, step.table)

    def merge(self, step: Merge, manifest: Manifest, staging_version: int) -> Merged:
        with self._connection() as connection:
            from framework.engines.embedded.merging import Merging

            return Merging(connection, self.tables, step, manifest, self.write).merge(staging_version)

    def discard(self, step: Discard) -> None:
        delta = self.tables.open(step.table)
        if delta is not None:
            from framework.law.dialects import DATAFUSION

            feed, batch = DATAFUSION.text(step.feed), DATAFUSION.text(step.batch_id)
            with translated(step.table):
                delta.delete(f"_feed = {feed} AND _batch_id = {batch}")

    def take_over(self, table: Table, source: Table, manifest: Manifest | None) -> int:
        return self.tables.take_over(table, source, manifest)

    def upkeep(self, table: Table, *, compact: bool, dry_run: bool) -> Upkeep:
        return delta_upkeep.upkeep(self.tables, table, compact=compact, dry_run=dry_run)

    def expire(self, table: Table, feed: str, before: datetime, *, dry_run: bool) -> int:
        return delta_upkeep.expire(self.tables, table, feed, before, dry_run=dry_run)

    def rows(self, table: Table) -> int | None:
        return self.tables.rows(table)

    def preview(
        self, table: Table, limit: int, newest_by: str | None = None, where: Where | None = None
    ) -> Preview | None:
        delta = self.tables.open(table)
        if delta is None:
            return None
        from deltalake import QueryBuilder

        from framework.engines.preview import Previewed
        from framework.law.dialects import DUCKDB

        with self._connection() as connection:
            with translated(table):
                reader = QueryBuilder().register("t", delta).execute("SELECT * FROM t")
            connection.register("reader", reader)
            preview = Previewed(self.tables.columns(delta), DUCKDB, where)
            return preview.of(connection.execute(preview.query("reader", limit, newest_by)).fetchall())

    def bad_rows(self, feed: Feed, batch_id: str | None, file: str | None) -> list[BadRows]:
        delta = self.tables.open(feed.quarantine.table)
        if delta is None:
            return []
        from deltalake import QueryBuilder

        from framework.law.dialects import DUCKDB
        from framework.law.reasons import quarantine_reasons

        with self._connection() as connection:
            with translated(feed.quarantine.table):
                reader = QueryBuilder().register("t", delta).execute("SELECT * FROM t")
            connection.register("reader", reader)
            query = quarantine_reasons("reader", feed.name, batch_id, file, DUCKDB)
            return [BadRows.of(row) for row in connection.execute(query).fetchall()]

    def sql(self, step: Stage | Merge) -> str:
        from framework.engines.embedded.explain import merge_sql, stage_sql

        return stage_sql(step) if isinstance(step, Stage) else merge_sql(step)

    def close(self) -> None:
        self._open.close()
