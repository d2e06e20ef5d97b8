"""Tables as Spark reads and writes them, with commits that carry a batch. Two kinds: below a root by their
paths (`paths`), and in a catalog by their names (`catalog`)."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from framework.batch import Manifest
from framework.engine import Merged, TableState, Upkeep
from framework.engines.history import merged_earlier, with_files
from framework.engines.spark.session import translated
from framework.law.dialects import SPARK
from framework.law.fitting import refuse_other_types
from framework.law.members import grows, new_members
from framework.law.widening import in_place, widened
from framework.names import AUDIT_COLUMNS, Table
from framework.steps import CreateTable, TableColumn, WidenColumns
from framework.types import DataType, parse_type

__all__ = ["Commit", "SparkTables"]

_, _BATCH, _ = AUDIT_COLUMNS
_NO_ZONE = "timestamp_ntz"
_UPKEEP = ("OPTIMIZE", "VACUUM START", "VACUUM END", "SET TBLPROPERTIES", "COMPUTE STATS", "CLUSTER BY")
"""Operations by which a platform looks after its tables at any moment, without changing what they hold."""


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit of a table's history; `at` in seconds since the epoch, `read` the version that it was based on."""

    version: int
    at: float
    operation: str
    parameters: Mapping[str, str]
    metrics: Mapping[str, str]
    metadata: str | None
    read: int | None

    @property
    def is_upkeep(self) -> bool:
        return self.operation in _UPKEEP


class SparkTables(ABC):
    """Delta tables; Spark starts when it is first needed (`spark`)."""

    def __init__(self, session: Callable[[], Any]) -> None:
        self._open, self._lock = session, threading.Lock()
        self._session: Any = None

    @property
    def spark(self) -> Any:
        with self._lock:
            if self._session is None:
                self._session = self._open()
            return self._session

    # What tables are, and how they are named

    @abstractmethod
    def reference(self, table: Table, version: int | None = None) -> str:
        """The table in a FROM clause, as it is now or was at a version."""

    @abstractmethod
    def state(self, table: Table, feed: str) -> TableState | None:
        """See `Engine.state`."""

    @abstractmethod
    def version(self, table: Table) -> int:
        """The table's newest version, -1 when there is none."""

    @abstractmethod
    def columns(self, table: Table, version: int | None = None) -> tuple[tuple[str, str], ...]:
        """The columns (name, type as in `framework.types`) of a table that is there, now or at a version."""

    @abstractmethod
    def history(self, table: Table) -> Sequence[Commit]:
        """The newest commits, newest first; none when there is no table."""

    @abstractmethod
    def is_empty(self, table: Table) -> bool: ...

    def rows(self, table: Table) -> int | None:
        """See `Engine.rows`. Delta answers a count without a condition by its statistics."""
        if self.version(table) < 0:
            return None
        ((rows,),) = self.sql(table, f"SELECT count(*) FROM {self.reference(table)}")
        return int(rows)

    def rows_of_batch(self, table: Table, version: int, batch_id: str) -> tuple[int, int]:
        """The rows that staging holds at a version, and those of a batch among them."""
        where = f"{_BATCH} = {SPARK.text(batch_id)}"
        query = f"SELECT count(*), count_if({where}) FROM {self.reference(table, version)}"
        ((rows, of_batch),) = self.sql(table, query)
        return rows, of_batch

    # Writing

    @abstractmethod
    def create(self, step: CreateTable) -> None: ...

    @abstractmethod
    def prepare_staging(self, table: Table, columns: Sequence[TableColumn]) -> int:
        """Make staging ready for rows of these columns; its version before they are written."""

    @abstractmethod
    def overwrite(self, table: Table, data: Any) -> None: ...

    @abstractmethod
    def append(self, table: Table, data: Any, manifest: Manifest, *, files: bool) -> bool:
        """Append as the batch's transaction, which Delta makes happen once. Whether it happened now."""

    @abstractmethod
    def replace(self, table: Table, data: Any, where: str | None, manifest: Manifest) -> bool:
        """As `append`, but in place of the rows that meet a condition, or of all."""

    @abstractmethod
    def rewrite(self, table: Table, data: Any) -> None:
        """Overwrite a table with rows, whose types it then has."""

    @abstractmethod
    def size(self, table: Table) -> int | None:
        """How many bytes the files of a table have."""

    @abstractmethod
    def properties(self, table: Table) -> Mapping[str, str]:
        """The properties of a table that is there."""

    def widens_in_place(self, step: WidenColumns) -> bool:
        """Whether the table allows type widening, and for all of these columns; structs grow in any table."""
        pairs = zip(step.were, step.columns, strict=True)
        wider = [(was, column.type) for was, column in pairs if not grows(was, column.type)]
        return not wider or (
            all(in_place(was, type_) for was, type_ in wider)
            and self.properties(step.table).get("delta.enableTypeWidening") == "true"
        )

    def widen(self, step: WidenColumns) -> None:
        """See `Engine.widen`."""
        there = dict(self.columns(step.table))
        new = {column.name: column.type for column in step.columns if there[column.name] != str(column.type)}
        for name in [name for name, type_ in new.items() if grows(there[name], type_)]:
            self._grow(step.table, name, parse_type(there[name]), new.pop(name))
        if new and self.widens_in_place(step):
            for name, type_ in new.items():
                alter = f"ALTER COLUMN {SPARK.name(name)} TYPE {SPARK.type(type_)}"
                self.sql(step.table, f"ALTER TABLE {self.reference(step.table)} {alter}")
        elif new:
            from pyspark.sql.functions import expr

            with translated(f"table {step.table}"):
                data = self.spark.sql(f"SELECT * FROM {self.reference(step.table)}")
                wide = {
                    field.name: expr(
                        widened(SPARK.name(field.name), there[field.name], new[field.name], step.zone, SPARK)
                    ).alias(field.name, metadata=field.metadata)
                    for field in data.schema.fields
                    if field.name in new
                }
                self.rewrite(step.table, data.withColumns(wide))

    def _grow(self, table: Table, column: str, there: DataType, wanted: DataType) -> None:
        """Give structs in a column the members that the wanted type has more."""
        for path, type_, before in new_members(there, wanted):
            name = ".".join(map(SPARK.name, (column, *path)))
            where = f"AFTER {SPARK.name(before)}" if before is not None else "FIRST"
            self.sql(table, f"ALTER TABLE {self.reference(table)} ADD COLUMNS ({name} {SPARK.type(type_)} {where})")

    @abstractmethod
    def take_over(self, table: Table, source: Table, manifest: Manifest | None) -> int:
        """See `Engine.take_over`."""

    def upkeep(self, table: Table, *, compact: bool, dry_run: bool) -> Upkeep:
        """See `Engine.upkeep`. What OPTIMIZE would do Spark does not tell."""
        if self.version(table) < 0:
            return Upkeep()
        name, compacted = self.reference(table), 0
        if compact and not dry_run:
            ((_, metrics, *_),) = self.sql(table, f"OPTIMIZE {name}")
            compacted = int(metrics["numFilesRemoved"])
        doomed = self.sql(table, f"VACUUM {name} DRY RUN")
        if doomed and not dry_run:
            self.sql(table, f"VACUUM {name}")
        return Upkeep(compacted, len(doomed), None if doomed else 0)

    def expire(self, table: Table, feed: str, before: datetime, *, dry_run: bool) -> int:
        """See `Engine.expire`."""
        if self.version(table) < 0:
            return 0
        moment = SPARK.instant_literal(before.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" "))
        where = f"_feed = {SPARK.text(feed)} AND _quarantined_at < {moment}"
        ((rows,),) = self.sql(table, f"SELECT count(*) FROM {self.reference(table)} WHERE {where}")
        if rows and not dry_run:
            self.sql(table, f"DELETE FROM {self.reference(table)} WHERE {where}")
        return int(rows)

    def seal(self, table: Table, manifest: Manifest, *, files: bool) -> bool:
        """Commit the batch's transaction and manifest without any rows. Whether it happened now."""
        with translated(f"table {table}"):
            nothing = self.spark.sql(f"SELECT * FROM {self.reference(table)}").limit(0)
        return self.append(table, nothing, manifest, files=files)

    # What both kinds have in common

    def refuse_rows(self, table: Table, data: Any) -> None:
        """Raises LandfeedError when rows have another type than a column of the table that is there."""
        with translated(f"table {table}"):
            rows = [(field.name, field.dataType.simpleString()) for field in data.schema.fields]
        refuse_other_types(table, [name for name, _ in rows], rows, self.columns(table))

    def prepare_columns(self, table: Table, state: TableState, columns: Sequence[TableColumn]) -> None:
        """Let a table that was made without moments without a zone take columns of them: Delta wants to be asked."""
        there = any(_NO_ZONE in type_ for _, type_ in state.columns)
        if not there and any(_NO_ZONE in str(column.type) for column in columns):
            feature = "'delta.feature.timestampNtz' = 'supported'"
            self.sql(table, f"ALTER TABLE {self.reference(table)} SET TBLPROPERTIES ({feature})")

    def sql(self, table: Table, query: str) -> list[Any]:
        """The rows of a statement; `table` is what an error is about."""
        with translated(f"table {table}"):
            rows: list[Any] = self.spark.sql(query).collect()
            return rows

    @contextmanager
    def view(self, table: Table, query: str) -> Iterator[str]:
        """The name of a view of a query, which is there meanwhile; `table` is what an error is about."""
        name = f"_lf_{uuid4().hex}"
        with translated(f"table {table}"):
            self.spark.sql(query).createOrReplaceTempView(name)
        try:
            yield name
        finally:
            with translated(f"table {table}"):
                self.spark.catalog.dropTempView(name)

    def manifest(self, table: Table, feed: str, seq: int) -> tuple[Manifest, int] | None:
        """See `Engine.manifest`."""
        for commit in self.history(table):
            manifest = Manifest.from_json(commit.metadata)
            if manifest is not None and (manifest.batch.feed, manifest.batch.seq) == (feed, seq):
                return manifest, commit.version
        return None

    def manifests(self, table: Table, feed: str) -> list[Manifest]:
        """See `Engine.manifests`."""
        return with_files((commit.metadata for commit in self.history(table)), feed)

    def merged(self, table: Table, last: int, manifest: Manifest) -> Merged | None:
        """See `merged_earlier`."""
        return merged_earlier(table, last, manifest, lambda seq: self.manifest(table, manifest.batch.feed, seq))

    def commits_since(self, table: Table, version: int) -> int:
        """How many commits changed what the table holds since a version."""
        newer = (commit for commit in self.history(table) if commit.version > version)
        return sum(not commit.is_upkeep for commit in newer)
