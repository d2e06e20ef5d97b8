"""Tables as Spark reads and writes them: by path below a root, with commits that carry a batch."""

from __future__ import annotations

from typing import Any

from framework.batch import Manifest, transaction_id
from framework.engines.delta import DeltaTables, unwritable
from framework.engines.spark.session import translated
from framework.names import Table
from framework.rules import quoted

__all__ = ["SparkTables"]


class SparkTables:
    """Delta tables below a root. What they are is read from their logs without Spark (`logs`)."""

    def __init__(self, spark: Any, logs: DeltaTables) -> None:
        self.spark, self.logs = spark, logs

    def reference(self, table: Table, version: int | None = None) -> str:
        """The table in a FROM clause, as it is now or was at a version."""
        name = f"delta.{quoted(self.logs.uri(table), 'spark')}"
        return name if version is None else f"{name} VERSION AS OF {version}"

    def version(self, table: Table) -> int:
        """The table's newest version, -1 when there is none."""
        delta = self.logs.open(table)
        return -1 if delta is None else delta.version()

    def sql(self, table: Table, query: str) -> list[Any]:
        """The rows of a statement; `table` is what an error is about."""
        with translated(f"table {table}"):
            rows: list[Any] = self.spark.sql(query).collect()
            return rows

    def overwrite(self, table: Table, data: Any) -> None:
        self._write(table, data.write.format("delta").mode("overwrite").option("overwriteSchema", "true"))

    def append(self, table: Table, data: Any, manifest: Manifest, *, files: bool) -> bool:
        """Append as the batch's transaction, which Delta makes happen once. Whether it happened now."""
        before = self.version(table)
        writer = data.write.format("delta").mode("append")
        writer = writer.option("txnAppId", transaction_id(manifest.batch.feed))
        writer = writer.option("txnVersion", str(manifest.batch.seq))
        self._write(table, writer.option("userMetadata", manifest.to_json(files=files)))
        return self.version(table) > before

    def seal(self, table: Table, manifest: Manifest, *, files: bool) -> bool:
        """Commit the batch's transaction and manifest without any rows. Whether it happened now.

        By delta-rs where it can: Spark writes an empty file along.
        """
        delta = self.logs.open(table)
        if delta is not None and not unwritable(delta):
            return self.logs.seal(table, delta, manifest, files=files)
        with translated(f"table {table}"):
            nothing = self.spark.sql(f"SELECT * FROM {self.reference(table)}").limit(0)
        return self.append(table, nothing, manifest, files=files)

    def _write(self, table: Table, writer: Any) -> None:
        with translated(f"table {table}"):
            writer.save(self.logs.uri(table))
