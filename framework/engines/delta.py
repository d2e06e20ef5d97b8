"""Delta tables through delta-rs: where they are, what state they are in, commits that happen once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from deltalake import CommitProperties, DeltaTable, QueryBuilder, Schema, Transaction, write_deltalake
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, create_table_with_add_actions

from framework.batch import Manifest, transaction_id
from framework.engine import Merged, TableState, staged_meanwhile
from framework.engines.constraints import filled_by_itself
from framework.engines.delta_errors import translated
from framework.engines.delta_features import refusal
from framework.engines.delta_schema import columns_of, delta_schema
from framework.engines.history import HISTORY, merged_earlier, with_files
from framework.engines.local_log import is_there, metadata
from framework.errors import Conflict, LandfeedError
from framework.names import Table
from framework.steps import CreateTable, Stage

__all__ = ["DeltaTables", "check_constraints", "commit", "has_batch"]

_CHECK = "delta.constraints."


class DeltaTables:
    """The tables below a root: table `a.b` lives at `<root>/a/b`."""

    def __init__(self, root: str, storage_options: Mapping[str, str]) -> None:
        self.root = root.rstrip("/")
        self.options = dict(storage_options)
        self.local = "://" not in root
        self._kept: dict[Table, DeltaTable] = {}

    def uri(self, table: Table) -> str:
        return "/".join((self.root, *table.parts))

    def open(self, table: Table) -> DeltaTable | None:
        """The newest version of the table, None when there is none."""
        uri = self.uri(table)
        try:
            if self.local and not is_there(table, f"{uri}/_delta_log"):
                return None
            with translated(table):
                return DeltaTable(uri, storage_options=self.options)
        except TableNotFoundError:
            return None

    def to_stage(self, step: Stage) -> DeltaTable | None:
        """Staging before the batch's first commit. Raises Conflict when another runner has staged it meanwhile."""
        table = step.feed.target.staging
        delta = self.open(table)
        if delta is not None:
            self.writable(delta, table)
            if has_batch(delta, step.feed.name, step.batch.seq):
                raise staged_meanwhile(step.feed)
        return delta

    def kept(self, table: Table) -> DeltaTable | None:
        """As `open`, for tables that are opened again and again: reads only what is new in the log.

        The object is shared between threads, which take turns with it (`Ledger` sees to that for
        writes; reading a version while it moves on is harmless for tables that only grow).
        """
        delta = self._kept.get(table)
        if delta is None:
            delta = self.open(table)
            if delta is not None:
                self._kept[table] = delta
            return delta
        with translated(table):
            delta.update_incremental()
        return delta

    def state(self, table: Table, feed: str) -> TableState | None:
        delta = self.open(table)
        if delta is None:
            return None
        columns = tuple((name, type_) for name, type_ in columns_of(delta))
        seq = delta.transaction_version(transaction_id(feed))
        not_null = tuple(f.name for f in delta.schema().fields if not (f.nullable or filled_by_itself(f.metadata)))
        return TableState(delta.version(), columns, seq, refusal(delta, table), not_null)

    def manifest(self, table: Table, feed: str, seq: int) -> tuple[Manifest, int] | None:
        """See `Engine.manifest`. It is nearly always in the last commit; reading more of them costs time for each."""
        delta = self.open(table)
        if delta is None:
            return None
        for most in (1, 20, HISTORY):
            for entry in delta.history(most):
                manifest = Manifest.from_json(entry.get("userMetadata"))
                if manifest is not None and (manifest.batch.feed, manifest.batch.seq) == (feed, seq):
                    return manifest, int(entry["version"])
        return None

    def manifests(self, table: Table, feed: str) -> list[Manifest]:
        """See `Engine.manifests`."""
        if self.local:
            with suppress(OSError, ValueError):  # who opens the table tells
                return with_files(metadata(f"{self.uri(table)}/_delta_log", HISTORY), feed)
        return with_files((entry.get("userMetadata") for entry in self.history(table)), feed)

    def history(self, table: Table) -> list[dict[str, Any]]:
        """The table's commits as their log tells them, newest first."""
        delta = self.open(table)
        return delta.history(HISTORY) if delta is not None else []

    def merged(self, table: Table, target: DeltaTable, manifest: Manifest) -> Merged | None:
        """See `merged_earlier`."""
        feed = manifest.batch.feed
        last = target.transaction_version(transaction_id(feed)) or 0
        return merged_earlier(table, last, manifest, lambda seq: self.manifest(table, feed, seq))

    def columns(self, delta: DeltaTable) -> tuple[tuple[str, str], ...]:
        """The columns (name, type as in `framework.types`) of a table that was opened."""
        return tuple(columns_of(delta))

    def at(self, table: Table, version: int) -> DeltaTable:
        """The table as it was at a version."""
        with translated(table):
            return DeltaTable(self.uri(table), version=version, storage_options=self.options)

    def records(self, table: Table, version: int) -> int:
        """How many rows the table held at a version, by the statistics in its log."""
        return self.records_in(self.at(table, version))

    def records_in(self, delta: DeltaTable) -> int:
        """The same of a table that was opened."""
        actions = delta.get_add_actions(flatten=True)
        return sum(actions.column("num_records").to_pylist()) if actions.num_rows else 0

    def rows(self, table: Table) -> int | None:
        """How many rows the table has, by the statistics in its log; None when there is no table or they do not
        tell: files may be without, and rows may be marked as deleted."""
        delta = self.open(table)
        if delta is None or "deletionVectors" in (delta.protocol().reader_features or ()):
            return None
        actions = delta.get_add_actions(flatten=True)
        counts = list(actions.column("num_records").to_pylist()) if actions.num_rows else []
        return None if None in counts else sum(counts)

    def only_value(self, table: Table, version: int, column: str) -> str | None:
        """The value that a text column has in all rows of a version, by its statistics; None if they do not tell."""
        actions = self.at(table, version).get_add_actions(flatten=True)
        names = (f"min.{column}", f"max.{column}")
        if not set(names).issubset(actions.column_names):
            return None
        values = {value for name in names for value in actions.column(name).to_pylist()}
        return values.pop() if len(values) == 1 else None

    def create(self, step: CreateTable) -> DeltaTable:
        """Make the table, or open it when somebody else made it first. Nothing is clustered."""
        table, uri = step.table, self.uri(step.table)
        try:
            with translated(table):
                if self.local:
                    os.makedirs(uri, exist_ok=True)
                return DeltaTable.create(
                    uri,
                    delta_schema(step.columns),
                    mode="ignore",
                    partition_by=list(step.partition_by) or None,
                    configuration=dict(step.properties) or None,
                    description=step.comment,
                    storage_options=self.options,
                    commit_properties=CommitProperties(max_commit_retries=0),
                )
        except Conflict:  # what delta-rs says when it is made by somebody else at the same moment
            made = self.open(table)
            if made is None:
                raise
            return made

    def append(self, table: Table, delta: DeltaTable | None, rows: Any, manifest: Manifest) -> int:
        """Append rows (an Arrow stream) as the batch's transaction, making the table when `delta`, what was opened, is
        None; the number of rows that the writer says it wrote."""
        with translated(table):
            write_deltalake(
                delta or self.uri(table),
                rows,
                mode="append",
                commit_properties=commit(manifest, files=True),
                storage_options=None if delta else self.options,
            )
        written = delta or self.at(table, 0)
        return int(written.history(1)[0]["operationMetrics"]["num_added_rows"])

    def overwrite(self, table: Table, delta: DeltaTable | None, rows: Any, manifest: Manifest) -> int:
        """As `append`, but in place of all that the table held; the version that it then has."""
        with translated(table):
            write_deltalake(
                delta or self.uri(table),
                rows,
                mode="overwrite",
                schema_mode="overwrite",
                commit_properties=commit(manifest, files=True),
                storage_options=None if delta else self.options,
            )
        return delta.version() if delta else 0

    def take_over(self, table: Table, source: Table, manifest: Manifest | None) -> int:
        """See `Engine.take_over`."""
        given, delta = self.open(source), self.open(table)
        if given is None:
            raise LandfeedError(f"table {source} is gone", "run it again", code="table")
        if delta is not None:
            self.writable(delta, table)
        with translated(table):
            rows = QueryBuilder().register("t", given).execute("SELECT * FROM t")
            write_deltalake(
                delta or self.uri(table),
                rows,
                mode="overwrite",
                schema_mode="overwrite",
                partition_by=given.metadata().partition_columns or None,
                commit_properties=CommitProperties(max_commit_retries=0)
                if manifest is None
                else commit(manifest, files=False),
                storage_options=None if delta else self.options,
            )
        return delta.version() if delta else 0

    def folder(self, table: Table) -> str:
        """The folder of a local table, which is made where there is none."""
        with translated(table):
            os.makedirs(self.uri(table), exist_ok=True)
        return self.uri(table)

    def replace(
        self, table: Table, delta: DeltaTable | None, files: list[AddAction], schema: Schema, manifest: Manifest
    ) -> DeltaTable:
        """As `overwrite`, by files that stand in the table's folder; the table as it then is."""
        properties = commit(manifest, files=True)
        with translated(table):
            if delta is not None:
                delta.create_write_transaction([*files], "overwrite", schema, commit_properties=properties)
                delta.update_incremental()
                return delta
            try:
                create_table_with_add_actions(self.uri(table), schema, files, commit_properties=properties)
            except DeltaError as error:
                if self.open(table) is None:
                    raise
                raise Conflict(f"another writer made {table} at the same time") from error
        return self.at(table, 0)

    def seal(self, table: Table, delta: DeltaTable, manifest: Manifest, *, files: bool) -> bool:
        """Commit the batch's transaction and manifest without any rows, unless they are there already."""
        if has_batch(delta, manifest.batch.feed, manifest.batch.seq):
            return False
        with translated(table):
            properties = commit(manifest, files=files)
            delta.create_write_transaction([], "append", delta.schema(), commit_properties=properties)
        return True

    def writable(self, delta: DeltaTable, table: Table) -> None:
        """Refuse a table with features that delta-rs cannot write, before anything is written."""
        refused = refusal(delta, table)
        if refused is not None:
            raise LandfeedError(refused.message, refused.hint, code=refused.code)


def has_batch(delta: DeltaTable, feed: str, seq: int) -> bool:
    """Whether a batch of the feed, or a newer one, was committed to the table."""
    return (delta.transaction_version(transaction_id(feed)) or 0) >= seq


def check_constraints(delta: DeltaTable) -> list[str]:
    """The table's CHECK constraints, each as its name and the condition."""
    configuration = delta.metadata().configuration.items()
    return [f"{key[len(_CHECK) :]} ({text})" for key, text in configuration if key.startswith(_CHECK)]


def commit(manifest: Manifest, *, files: bool) -> CommitProperties:
    """Commit properties of a batch: its transaction and manifest, and no silent rebase on a newer version."""
    transaction = Transaction(transaction_id(manifest.batch.feed), manifest.batch.seq)
    metadata = {"userMetadata": manifest.to_json(files=files)}
    return CommitProperties(custom_metadata=metadata, app_transactions=[transaction], max_commit_retries=0)
