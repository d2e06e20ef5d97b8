"""Tables below a root, by their paths. What they are is read from their logs with delta-rs, so that a run with
nothing to do needs no Spark."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from framework.batch import Manifest, transaction_id
from framework.engine import TableState, Upkeep
from framework.engines import delta_upkeep
from framework.engines.delta import DeltaTables
from framework.engines.delta_features import unwritable
from framework.engines.spark.session import translated
from framework.engines.spark.sql import column_ddl, layout_ddl
from framework.engines.spark.tables import Commit, SparkTables
from framework.errors import Conflict, LandfeedError
from framework.law.dialects import SPARK
from framework.names import AUDIT_COLUMNS, Table
from framework.steps import CreateTable, TableColumn

__all__ = ["PathTables"]

_, _BATCH, _ = AUDIT_COLUMNS
_OF_SPARK = ("delta.enableTypeWidening", "delta.feature.")
"""Properties that delta-rs does not know."""


class PathTables(SparkTables):
    """Table `a.b` lives at `<root>/a/b`."""

    def __init__(self, session: Callable[[], Any], logs: DeltaTables) -> None:
        super().__init__(session)
        self._logs = logs

    def reference(self, table: Table, version: int | None = None) -> str:
        name = f"delta.{SPARK.name(self._logs.uri(table))}"
        return name if version is None else f"{name} VERSION AS OF {version}"

    def state(self, table: Table, feed: str) -> TableState | None:
        state = self._logs.state(table, feed)
        return None if state is None else replace(state, unwritable=None)  # what delta-rs cannot write Spark can

    def version(self, table: Table) -> int:
        delta = self._logs.open(table)
        return -1 if delta is None else delta.version()

    def columns(self, table: Table, version: int | None = None) -> tuple[tuple[str, str], ...]:
        delta = self._logs.open(table) if version is None else self._logs.at(table, version)
        return () if delta is None else self._logs.columns(delta)

    def history(self, table: Table) -> list[Commit]:
        return [
            Commit(
                entry["version"],
                entry.get("timestamp", 0) / 1000,
                entry.get("operation", ""),
                entry.get("operationParameters", {}),
                entry.get("operationMetrics", {}),
                entry.get("userMetadata"),
                entry.get("readVersion"),
            )
            for entry in self._logs.history(table)
        ]

    def is_empty(self, table: Table) -> bool:
        return not self._logs.records(table, self.version(table))

    def rows(self, table: Table) -> int | None:
        return self._logs.rows(table)  # a look at the status starts no Spark

    def rows_of_batch(self, table: Table, version: int, batch_id: str) -> tuple[int, int]:
        if self._logs.only_value(table, version, _BATCH) == batch_id:  # the statistics tell
            rows = self._logs.records(table, version)
            return rows, rows
        return super().rows_of_batch(table, version, batch_id)

    def create(self, step: CreateTable) -> None:
        if not step.cluster_by and not any(key.startswith(_OF_SPARK) for key, _ in step.properties):
            self._logs.create(step)
            return
        columns = ", ".join(map(column_ddl, step.columns))
        self.sql(step.table, f"CREATE TABLE IF NOT EXISTS {self.reference(step.table)} ({columns}) {layout_ddl(step)}")

    def prepare_staging(self, table: Table, columns: Sequence[TableColumn]) -> int:
        state = self.state(table, "")
        if state is not None:
            self.prepare_columns(table, state, columns)  # all else an overwrite brings along
        return self.version(table)

    def overwrite(self, table: Table, data: Any) -> None:
        self._write(table, data.write.format("delta").mode("overwrite").option("overwriteSchema", "true"))

    def append(self, table: Table, data: Any, manifest: Manifest, *, files: bool) -> bool:
        self.refuse_rows(table, data)
        return self._once(table, data.write.format("delta").mode("append"), manifest, files=files)

    def replace(self, table: Table, data: Any, where: str | None, manifest: Manifest) -> bool:
        self.refuse_rows(table, data)
        writer = data.write.format("delta").mode("overwrite")
        return self._once(
            table, writer if where is None else writer.option("replaceWhere", where), manifest, files=False
        )

    def take_over(self, table: Table, source: Table, manifest: Manifest | None) -> int:
        given = self._logs.open(source)
        if given is None:
            raise LandfeedError(f"table {source} is gone", "run it again", code="table")
        with translated(f"table {source}"):
            rows = self.spark.sql(f"SELECT * FROM {self.reference(source)}")
        writer = rows.write.format("delta").mode("overwrite").option("overwriteSchema", "true")
        if partitions := given.metadata().partition_columns:
            writer = writer.partitionBy(*partitions)
        if manifest is None:
            self._write(table, writer)
        elif not self._once(table, writer, manifest, files=False):
            raise Conflict(f"another runner merged into {table} at the same time")
        return self.version(table)

    def rewrite(self, table: Table, data: Any) -> None:
        delta = self._logs.open(table)
        writer = data.write.format("delta").mode("overwrite").option("overwriteSchema", "true")
        if delta is not None and (partitions := delta.metadata().partition_columns):
            writer = writer.partitionBy(*partitions)
        self._write(table, writer)

    def size(self, table: Table) -> int | None:
        return delta_upkeep.size(self._logs, table)

    def properties(self, table: Table) -> Mapping[str, str]:
        delta = self._logs.open(table)
        return {} if delta is None else dict(delta.metadata().configuration)

    def upkeep(self, table: Table, *, compact: bool, dry_run: bool) -> Upkeep:
        """By delta-rs where it can, which needs no Spark."""
        delta = self._logs.open(table)
        if delta is None or not unwritable(delta):
            return delta_upkeep.upkeep(self._logs, table, compact=compact, dry_run=dry_run)
        return super().upkeep(table, compact=compact, dry_run=dry_run)

    def _once(self, table: Table, writer: Any, manifest: Manifest, *, files: bool) -> bool:
        before = self.version(table)
        writer = writer.option("txnAppId", transaction_id(manifest.batch.feed))
        writer = writer.option("txnVersion", str(manifest.batch.seq))
        self._write(table, writer.option("userMetadata", manifest.to_json(files=files)))
        return self.version(table) > before

    def seal(self, table: Table, manifest: Manifest, *, files: bool) -> bool:
        """By delta-rs where it can: Spark writes an empty file along."""
        delta = self._logs.open(table)
        if delta is not None and not unwritable(delta):
            return self._logs.seal(table, delta, manifest, files=files)
        return super().seal(table, manifest, files=files)

    def _write(self, table: Table, writer: Any) -> None:
        with translated(f"table {table}"):
            writer.save(self._logs.uri(table))
