"""Tables in a catalog, by their names: no paths, no CREATE OR REPLACE, schemas made when they are missing.

A catalog does not tell a table's Delta transactions, so what a batch has done is read from the manifests in
the table's history.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from framework.batch import Manifest, transaction_id
from framework.engine import TableState
from framework.engines.constraints import filled_by_itself
from framework.engines.history import HISTORY
from framework.engines.spark.session import translated
from framework.engines.spark.sql import column_ddl, layout_ddl
from framework.engines.spark.tables import Commit, SparkTables
from framework.errors import LandfeedError
from framework.law.dialects import SPARK
from framework.names import Table
from framework.steps import CreateTable, TableColumn

__all__ = ["CatalogTables"]


class CatalogTables(SparkTables):
    """Table `a.b` is `<catalog>.a.b`."""

    def __init__(self, session: Callable[[], Any], catalog: str) -> None:
        super().__init__(session)
        self._catalog = catalog

    def reference(self, table: Table, version: int | None = None) -> str:
        name = ".".join(SPARK.name(part) for part in (self._catalog, *table.parts))
        return name if version is None else f"{name} VERSION AS OF {version}"

    def exists(self, table: Table) -> bool:
        with translated(f"table {table}"):
            found: bool = self.spark.catalog.tableExists(self.reference(table))
            return found

    def columns(self, table: Table, version: int | None = None) -> tuple[tuple[str, str], ...]:
        return tuple((field.name, field.dataType.simpleString()) for field in self._fields(table, version))

    def _fields(self, table: Table, version: int | None = None) -> Sequence[Any]:
        with translated(f"table {table}"):
            name = self.reference(table, version)
            data = self.spark.table(name) if version is None else self.spark.sql(f"SELECT * FROM {name}")
            fields: Sequence[Any] = data.schema.fields
            return fields

    def state(self, table: Table, feed: str) -> TableState | None:
        history = self.history(table)
        if not history:
            return None
        manifests = (Manifest.from_json(commit.metadata) for commit in history)
        seq = next((found.batch.seq for found in manifests if found is not None and found.batch.feed == feed), None)
        fields = self._fields(table)
        columns = tuple((field.name, field.dataType.simpleString()) for field in fields)
        not_null = tuple(f.name for f in fields if not (f.nullable or filled_by_itself(f.metadata)))
        return TableState(history[0].version, columns, seq, not_null=not_null)

    def version(self, table: Table) -> int:
        history = self._history(table, 1)
        return history[0].version if history else -1

    def history(self, table: Table) -> list[Commit]:
        return self._history(table, HISTORY)

    def _history(self, table: Table, most: int) -> list[Commit]:
        if not self.exists(table):
            return []
        rows = self.sql(table, f"DESCRIBE HISTORY {self.reference(table)} LIMIT {most}")
        return [
            Commit(
                row["version"],
                row["timestamp"].timestamp(),
                row["operation"],
                row["operationParameters"] or {},
                row["operationMetrics"] or {},
                row["userMetadata"],
                row["readVersion"],
            )
            for row in rows
        ]

    def is_empty(self, table: Table) -> bool:
        return not self.sql(table, f"SELECT 1 FROM {self.reference(table)} LIMIT 1")

    def create(self, step: CreateTable) -> None:
        self._make(step.table, map(column_ddl, step.columns), layout_ddl(step))

    def create_like(self, table: Table, data: Any) -> None:
        with translated(f"table {table}"):
            fields = data.schema.fields
        self._make(table, [f"{SPARK.name(field.name)} {field.dataType.simpleString()}" for field in fields])

    def _make(self, table: Table, columns: Iterable[str], layout: str = "USING DELTA") -> None:
        """Make the table of columns as DDL, and its schema, where they are missing."""
        schema = ".".join(SPARK.name(part) for part in (self._catalog, *table.parts[:-1]))
        self.sql(table, f"CREATE SCHEMA IF NOT EXISTS {schema}")
        self.sql(table, f"CREATE TABLE IF NOT EXISTS {self.reference(table)} ({', '.join(columns)}) {layout}")

    def prepare_staging(self, table: Table, columns: Sequence[TableColumn]) -> int:
        wanted = tuple((column.name, str(column.type)) for column in columns)
        if self.exists(table) and self.columns(table) != wanted:
            self.sql(table, f"DROP TABLE {self.reference(table)}")
        self._make(table, map(column_ddl, columns))
        return self.version(table)

    def overwrite(self, table: Table, data: Any) -> None:
        from pyspark.sql.functions import lit

        with translated(f"table {table}"):
            data.writeTo(self.reference(table)).overwrite(lit(True))

    def append(self, table: Table, data: Any, manifest: Manifest, *, files: bool) -> bool:
        if not self.exists(table):
            self.create_like(table, data)
        self.refuse_rows(table, data)
        before = self.version(table)
        with translated(f"table {table}"):
            self._writer(table, data, manifest, files=files).append()
        return self.version(table) > before

    def replace(self, table: Table, data: Any, where: str | None, manifest: Manifest) -> bool:
        from pyspark.sql.functions import expr

        self.refuse_rows(table, data)
        before = self.version(table)
        with translated(f"table {table}"):
            self._writer(table, data, manifest, files=False).overwrite(expr(where or "true"))
        return self.version(table) > before

    def rewrite(self, table: Table, data: Any) -> None:
        (detail,) = self.sql(table, self._detail(table))
        partitions = detail["partitionColumns"]
        writer = data.write.format("delta").mode("overwrite").option("overwriteSchema", "true")
        writer = writer.partitionBy(*partitions) if partitions else writer
        with translated(f"table {table}"):
            writer.saveAsTable(self.reference(table))

    def size(self, table: Table) -> int | None:
        (detail,) = self.sql(table, self._detail(table))
        return None if detail["sizeInBytes"] is None else int(detail["sizeInBytes"])

    def properties(self, table: Table) -> Mapping[str, str]:
        (detail,) = self.sql(table, self._detail(table))
        return dict(detail["properties"])

    def _detail(self, table: Table) -> str:
        return f"DESCRIBE DETAIL {self.reference(table)}"

    def take_over(self, table: Table, source: Table, manifest: Manifest | None) -> int:
        del source, manifest  # a catalog's tables cannot be replaced by name in one step everywhere
        raise LandfeedError(f"{table} cannot be replaced", "not supported yet with tables.catalog", code="rebuild")

    def _writer(self, table: Table, data: Any, manifest: Manifest, *, files: bool) -> Any:
        writer = data.writeTo(self.reference(table)).option("txnAppId", transaction_id(manifest.batch.feed))
        writer = writer.option("txnVersion", str(manifest.batch.seq))
        return writer.option("userMetadata", manifest.to_json(files=files))
