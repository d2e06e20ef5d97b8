"""Merging: what each staged row does to the target is decided by one join in DuckDB; delta-rs writes it.

A batch that only inserts is appended (into an empty table as copies of staging's files). Otherwise
only rows that change something take part in the MERGE, so that files of the target without such rows
are not rewritten. Either commit is made against the very version that was compared, or not at all
(Conflict), and carries the batch's transaction.
"""

from __future__ import annotations

from dataclasses import replace

import duckdb
from deltalake import DeltaTable, QueryBuilder, write_deltalake

from framework.batch import Manifest
from framework.engine import Merged
from framework.engines.delta import DeltaTables, commit, translated
from framework.engines.embedded.adopting import adopt, may_adopt
from framework.errors import LandfeedError
from framework.feed import Feed
from framework.law.dialects import DATAFUSION, DUCKDB
from framework.law.scd import Outcome, key_match, outcome, written_columns
from framework.names import Table
from framework.steps import Merge

__all__ = ["Merging", "classify_sql"]


class Merging:
    """Merges one staged batch over one connection."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, tables: DeltaTables) -> None:
        self._db, self._tables = connection, tables

    def merge(self, step: Merge, manifest: Manifest, staging_version: int) -> Merged:
        """See `Engine.merge`."""
        feed, table = step.feed, step.feed.target.table
        target = self._tables.open(table)
        if target is None:
            raise LandfeedError(f"table {table} was removed during the run", "run again", code="table")
        self._tables.writable(target, table)
        done = self._tables.merged(feed, target, manifest)
        if done is not None:
            return done
        staging = self._tables.at(feed.target.staging, staging_version)
        if self._tables.records(table, target.version()):
            self._view("s", feed.target.staging, staging)
            merged = self._classify(feed, table, target, manifest)
            self._write(feed, target, merged)
            return Merged(target.version(), merged.rows)
        merged = manifest.merged(replace(manifest.rows, inserted=manifest.rows.staged))
        if self._tables.local and may_adopt(staging, target, written_columns(feed)):
            with translated(table):
                folders = self._tables.uri(feed.target.staging), self._tables.uri(table)
                rows = adopt(folders[0], staging_version, folders[1], target, commit(merged, files=False))
            self._check_written(feed, merged, rows, 0)
        else:
            self._view("s", feed.target.staging, staging)
            self._db.execute("CREATE OR REPLACE TEMP VIEW changing AS SELECT * FROM s")
            self._write(feed, target, merged)
        return Merged(target.version(), merged.rows)

    def _classify(self, feed: Feed, table: Table, target: DeltaTable, manifest: Manifest) -> Manifest:
        """Fill the table `changing` with what every staged row does, and count it."""
        self._view("t", table, target)
        self._db.execute(f"CREATE OR REPLACE TEMP TABLE changing AS {classify_sql(feed)}")
        counts = dict(self._db.execute("SELECT _outcome, count(*) FROM changing GROUP BY _outcome").fetchall())
        return manifest.merged(replace(manifest.rows, **{each.value: counts.get(each.value, 0) for each in Outcome}))

    def _view(self, name: str, table: Table, delta: DeltaTable) -> None:
        """Make a table version readable for DuckDB under a name.

        Plain local tables are read by DuckDB itself, which is several times faster; others by delta-rs.
        """
        self._db.execute(f"DROP VIEW IF EXISTS {name}")
        paths = delta.file_uris() if self._tables.local and not delta.metadata().partition_columns else []
        if paths:
            listed = ", ".join(DUCKDB.text(path) for path in paths)
            columns = ", ".join(DUCKDB.name(field.name) for field in delta.schema().fields)
            source = f"SELECT {columns} FROM read_parquet([{listed}], union_by_name = true)"
            if self._binds(f"CREATE TEMP VIEW {name} AS {source}"):
                return
        with translated(table):
            reader = QueryBuilder().register(name, delta).execute(f"SELECT * FROM {name}")
        self._db.register("reader", reader)
        self._db.execute(f"CREATE OR REPLACE TEMP TABLE {name}_rows AS SELECT * FROM reader")
        self._db.unregister("reader")
        self._db.execute(f"CREATE TEMP VIEW {name} AS SELECT * FROM {name}_rows")

    def _binds(self, view: str) -> bool:
        """Create the view; False when no file has one of the columns (it was added to the table later)."""
        try:
            self._db.execute(view)
        except duckdb.BinderException:
            return False
        return True

    def _write(self, feed: Feed, target: DeltaTable, manifest: Manifest) -> None:
        """Commit the inserts and updates; a commit without rows still carries the batch's transaction."""
        columns = DUCKDB.names(written_columns(feed))
        only = f" WHERE _outcome IN ('{Outcome.INSERTED}', '{Outcome.UPDATED}')"
        everything = manifest.rows.inserted == manifest.rows.staged
        changing = self._db.sql(f"SELECT {columns} FROM changing{'' if everything else only}")
        properties = commit(manifest, files=False)
        with translated(feed.target.table):
            if not manifest.rows.updated:
                write_deltalake(target, changing, mode="append", schema_mode="merge", commit_properties=properties)
                return
            assignments = {DATAFUSION.name(column): DATAFUSION.column("s", column) for column in written_columns(feed)}
            metrics = (
                target.merge(
                    changing,
                    predicate=key_match(feed, DATAFUSION),
                    source_alias="s",
                    target_alias="t",
                    commit_properties=properties,
                )
                .when_matched_update(assignments)
                .when_not_matched_insert(assignments)
                .execute()
            )
        self._check_written(feed, manifest, metrics["num_target_rows_inserted"], metrics["num_target_rows_updated"])

    def _check_written(self, feed: Feed, manifest: Manifest, inserted: int, updated: int) -> None:
        """Compare what was written, by the writer's own count, with what was to be."""
        if (inserted, updated) != (manifest.rows.inserted, manifest.rows.updated):
            raise LandfeedError(
                f"feed {feed.name}: {inserted} rows were inserted and {updated} updated in "
                f"{feed.target.table}; {manifest.rows.inserted} and {manifest.rows.updated} were to be",
                "this is a defect in Landfeed: the files stay in landing, please report it",
                code="conservation",
            )


def classify_sql(feed: Feed) -> str:
    """The query that decides what every staged row does (`framework.law.scd.Outcome`)."""
    columns = ", ".join(f"s.{DUCKDB.name(column)}" for column in written_columns(feed))
    decided = outcome(feed, "t._present", DUCKDB)
    return (
        f"SELECT {columns}, {decided} AS _outcome "
        f"FROM s LEFT JOIN (SELECT *, true AS _present FROM t) AS t ON {key_match(feed, DUCKDB)}"
    )
