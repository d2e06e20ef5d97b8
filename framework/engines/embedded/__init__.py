"""The embedded engine: DuckDB reads, checks and compares, delta-rs writes Delta tables. No JVM, no server."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import duckdb
from deltalake import QueryBuilder

from framework.batch import Manifest
from framework.engine import BadRows, Merged, Preview, Seal, TableState
from framework.engines.delta import DeltaTables, delta_schema
from framework.engines.delta_errors import translated
from framework.engines.embedded.explain import merge_sql, stage_sql
from framework.engines.embedded.merging import Merging
from framework.engines.embedded.readers import SURVEYS
from framework.engines.embedded.reading import NO_MEMORY, survey
from framework.engines.embedded.staging import Staging
from framework.engines.embedded.writing import Writer, write_rows
from framework.engines.preview import Previewed
from framework.errors import LandfeedError, MachineError
from framework.feed import Feed
from framework.law.dialects import DATAFUSION, DUCKDB
from framework.law.layout import Layout
from framework.law.staging import quarantine_reasons
from framework.machine import machine_error, own_folder
from framework.names import Table
from framework.opening import Piece, SourceFile
from framework.steps import AddColumns, CreateTable, Discard, Merge, Stage

__all__ = ["EmbeddedEngine"]

_MEMORY_LIMIT = "2GB"
"""What DuckDB may hold in memory; more goes to the spill folder. delta-rs takes about as much again."""


_NUMBERS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMFILE)
"""Errors of the system that DuckDB hands on as texts."""


def _settings(spill: str) -> dict[str, str | bool | int | float | list[str]]:
    """No statement fetches code, or takes a Python variable for a table; what is spilled leaves half of the disk."""
    return {
        "memory_limit": _MEMORY_LIMIT,
        "temp_directory": spill,
        "max_temp_directory_size": f"{shutil.disk_usage(spill).free // 2} B",
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
        "python_enable_replacements": False,
    }


class EmbeddedEngine:
    """Implements `framework.engine.Engine` over the tables below `root` (a local path or a gs:// URI)."""

    def __init__(self, root: str, storage_options: Mapping[str, str] | None = None, write: Writer = write_rows) -> None:
        self.tables, self.write = DeltaTables(root, storage_options or {}), write
        self._lock = threading.Lock()
        self._database: duckdb.DuckDBPyConnection | None = None
        self._open = contextlib.ExitStack()
        self._spill = self._open.enter_context(own_folder())

    @contextlib.contextmanager
    def _connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of its own to the one DuckDB, which starts when it is first needed."""
        try:
            with contextlib.closing(self._connected()) as connection:
                yield connection
        except duckdb.Error as error:
            raise self._told(error) from error

    def _connected(self) -> duckdb.DuckDBPyConnection:
        with self._lock:
            if self._database is None:
                self._database = duckdb.connect(config=_settings(self._spill))
                self._database.execute("SET GLOBAL TimeZone = 'UTC'")
                self._database.execute("SET lock_configuration = true")
            return self._database.cursor()

    def _told(self, error: duckdb.Error) -> LandfeedError:
        said = str(error)
        number = next((number for number in _NUMBERS if os.strerror(number) in said), None)
        if NO_MEMORY in said:
            number = errno.ENOMEM
        if number is not None:
            return machine_error(OSError(number, os.strerror(number)), os.path.dirname(self._spill))
        if isinstance(error, duckdb.OutOfMemoryException):
            return MachineError(
                f"DuckDB has not enough memory ({said.splitlines()[0]})",
                "load fewer files at a time (source.max_files_per_batch), or free space in the temporary folder; "
                "files stay in landing and are loaded by the next run",
            )
        return LandfeedError(f"DuckDB: {error}", code="engine")

    def state(self, table: Table, feed: str) -> TableState | None:
        return self.tables.state(table, feed)

    def manifest(self, table: Table, feed: str, seq: int) -> tuple[Manifest, int] | None:
        return self.tables.manifest(table, feed, seq)

    def manifests(self, table: Table, feed: str) -> list[Manifest]:
        return self.tables.manifests(table, feed)

    def reads_in_place(self, feed: Feed, source: SourceFile) -> bool:
        del feed, source  # DuckDB reads what was opened
        return False

    def survey(self, piece: Piece, feed: Feed) -> Layout | None:
        if feed.source.format not in SURVEYS:
            return None
        with self._connection() as connection:
            return survey(connection, piece, feed)

    def stage(self, step: Stage, pieces: Sequence[Piece], loaded_at: datetime, seal: Seal) -> tuple[Manifest, int]:
        del loaded_at  # the manifest has it, and nothing is written before there is one
        with self._connection() as connection:
            return Staging(connection, self.tables).stage(step, pieces, seal)

    def create(self, step: CreateTable) -> None:
        self.tables.create(step.table, step.columns, step.comment)

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

    def merge(self, step: Merge, manifest: Manifest, staging_version: int) -> Merged:
        with self._connection() as connection:
            return Merging(connection, self.tables, step, manifest, self.write).merge(staging_version)

    def discard(self, step: Discard) -> None:
        delta = self.tables.open(step.table)
        if delta is not None:
            feed, batch = DATAFUSION.text(step.feed), DATAFUSION.text(step.batch_id)
            with translated(step.table):
                delta.delete(f"_feed = {feed} AND _batch_id = {batch}")

    def preview(self, table: Table, limit: int, newest_by: str | None = None) -> Preview | None:
        delta = self.tables.open(table)
        if delta is None:
            return None
        with self._connection() as connection:
            with translated(table):
                reader = QueryBuilder().register("t", delta).execute("SELECT * FROM t")
            connection.register("reader", reader)
            preview = Previewed(self.tables.columns(delta), DUCKDB)
            return preview.of(connection.execute(preview.query("reader", limit, newest_by)).fetchall())

    def bad_rows(self, feed: Feed, batch_id: str | None, file: str | None) -> list[BadRows]:
        delta = self.tables.open(feed.quarantine.table)
        if delta is None:
            return []
        with self._connection() as connection:
            with translated(feed.quarantine.table):
                reader = QueryBuilder().register("t", delta).execute("SELECT * FROM t")
            connection.register("reader", reader)
            query = quarantine_reasons("reader", feed.name, batch_id, file, DUCKDB)
            return [BadRows.of(row) for row in connection.execute(query).fetchall()]

    def sql(self, step: Stage | Merge) -> str:
        return stage_sql(step) if isinstance(step, Stage) else merge_sql(step)

    def close(self) -> None:
        if self._database is not None:
            self._database.close()
        self._open.close()
