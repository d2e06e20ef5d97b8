"""Merging: one MERGE statement, and a commit without rows that carries the batch's transaction.

A MERGE cannot carry a transaction or a manifest where session settings are not to be had, so these
follow in a commit of their own. If the process dies in between, the next one finds the MERGE in the
table's history by the batch id in its conditions, with its figures, and only seals it. A MERGE that is
repeated changes nothing.
"""

from __future__ import annotations

import json
from dataclasses import replace

from framework.batch import Manifest
from framework.engine import Merged
from framework.engines.spark.tables import Commit, SparkTables
from framework.errors import Conflict, LandfeedError
from framework.feed import Feed
from framework.law.dialects import SPARK
from framework.law.scd import Outcome, is_older, is_update, key_match, outcome, written_columns
from framework.names import AUDIT_COLUMNS

__all__ = ["Merging", "merge_statement"]

_, _BATCH, _ = AUDIT_COLUMNS
_SMALL = 20_000
"""Rows of a batch of which it always pays to see first which ones change: few files may have to be rewritten."""
_CLOCKS_DIFFER = 86_400
"""Seconds by which the clocks of two machines may differ."""


class Merging:
    """Merges one staged batch."""

    def __init__(self, tables: SparkTables, feed: Feed, manifest: Manifest, staging_version: int) -> None:
        self._tables, self._feed, self._manifest = tables, feed, manifest
        self._table, self._version = feed.target.table, staging_version
        self._staged = tables.reference(feed.target.staging, staging_version)

    def merge(self) -> Merged:
        """See `Engine.merge`."""
        manifest, tables = self._manifest, self._tables
        target = tables.state(self._table, self._feed.name)
        if target is None:
            raise LandfeedError(f"table {self._table} was removed during the run", "run again", code="table")
        done = tables.merged(self._feed, target.seq or 0, manifest)
        if done is not None:
            return done
        self._check_staging()
        commit = self._earlier()
        if commit is None and tables.is_empty(self._table):
            return self._insert_all()
        if commit is None and self._merge():
            commit = self._earlier()
            if commit is None:
                raise Conflict(f"the merge of batch {manifest.batch_id} is not in the history of {self._table}")
        return self._seal(*(commit or (target.version, 0, 0)))

    def _check_staging(self) -> None:
        """Another runner may have overwritten staging before this batch was sealed."""
        staging = self._feed.target.staging
        rows, of_batch = self._tables.rows_of_batch(staging, self._version, self._manifest.batch_id)
        if not rows == of_batch == self._manifest.rows.staged:
            raise LandfeedError(
                f"feed {self._feed.name}: staging holds {of_batch} rows of batch {self._manifest.batch_id} and "
                f"{rows - of_batch} others; {self._manifest.rows.staged} were staged",
                "another runner staged this feed at the same time: run again",
                code="superseded",
            )

    def _insert_all(self) -> Merged:
        """Fill an empty table: one append, which carries the batch itself."""
        manifest = self._manifest
        merged = manifest.merged(replace(manifest.rows, inserted=manifest.rows.staged))
        columns = ", ".join(SPARK.name(column) for column in written_columns(self._feed))
        rows = self._tables.spark.sql(f"SELECT {columns} FROM {self._staged}")
        if not self._tables.append(self._table, rows, merged, files=False):
            raise Conflict(f"another runner merged into {self._table} at the same time")
        return Merged(self._tables.version(self._table), merged.rows)

    def _merge(self) -> bool:
        """Run the MERGE; False when no row would change anything.

        Delta rewrites every file that holds a matched key, whether its row changes or not. So where few
        rows can be expected to change, those that do are looked for first, and only they take part.
        """
        target, source = self._tables.reference(self._table), f"SELECT * FROM {self._staged}"
        if self._few_changes_expected():
            changing = changing_rows(self._feed, target, self._staged)
            ((count,),) = self._tables.sql(self._table, f"SELECT count(*) FROM ({changing})")
            if not count:
                return False
            source = changing if count < self._manifest.rows.staged else source
        self._tables.sql(self._table, merge_statement(self._feed, target, source, self._manifest.batch_id))
        return True

    def _few_changes_expected(self) -> bool:
        """Whether the batch is small, or the one before it changed less than half of its rows."""
        if self._manifest.rows.staged <= _SMALL:
            return True
        before = self._tables.manifest(self._table, self._feed.name, self._manifest.batch.seq - 1)
        return before is not None and 2 * (before[0].rows.unchanged + before[0].rows.stale) > before[0].rows.staged

    def _earlier(self) -> tuple[int, int, int] | None:
        """The first MERGE of this batch in the target's history: version, rows inserted and updated."""
        found = None
        for commit in self._tables.history(self._table):
            if commit.at < self._manifest.staged_at.timestamp() - _CLOCKS_DIFFER:
                break
            if commit.operation == "MERGE" and _names(commit, self._manifest.batch_id):
                metrics = commit.metrics
                found = (
                    commit.version,
                    int(metrics["numTargetRowsInserted"]),
                    int(metrics["numTargetRowsUpdated"]),
                )
        return found

    def _seal(self, version: int, inserted: int, updated: int) -> Merged:
        rows = replace(self._manifest.rows, inserted=inserted, updated=updated)
        left = rows.staged - inserted - updated
        stale = self._stale(version) if left and self._feed.target.sequence_by else 0
        merged = self._manifest.merged(replace(rows, stale=stale, unchanged=left - stale))
        if not self._tables.seal(self._table, merged, files=False):
            raise Conflict(f"another runner merged into {self._table} at the same time")
        return Merged(self._tables.version(self._table), merged.rows)

    def _stale(self, version: int) -> int:
        """How many staged rows are older than what the target holds after the merge."""
        target = self._tables.reference(self._table, version)
        query = (
            f"SELECT count(*) FROM (SELECT * FROM {self._staged}) s JOIN (SELECT * FROM {target}) t "
            f"ON {key_match(self._feed, SPARK)} WHERE {is_older(self._feed, SPARK)}"
        )
        ((count,),) = self._tables.sql(self._table, query)
        return int(count)


def _names(commit: Commit, batch_id: str) -> bool:
    """Whether a MERGE's condition for inserting is about this batch."""
    clauses = json.loads(commit.parameters.get("notMatchedPredicates", "[]"))
    return any(batch_id in clause.get("predicate", "") for clause in clauses)


def changing_rows(feed: Feed, target: str, staged: str) -> str:
    """A query of the staged rows that insert or update something."""
    decided = outcome(feed, "t._present", SPARK)
    return (
        f"SELECT s.* FROM (SELECT * FROM {staged}) s LEFT JOIN (SELECT *, true AS _present FROM {target}) t "
        f"ON {key_match(feed, SPARK)} WHERE {decided} IN ('{Outcome.INSERTED}', '{Outcome.UPDATED}')"
    )


def merge_statement(feed: Feed, target: str, source: str, batch_id: str) -> str:
    """The MERGE of a query; its conditions name the batch, by which it is found in the table's history."""
    columns = [SPARK.name(column) for column in written_columns(feed)]
    of_batch = f"s.{_BATCH} = {SPARK.text(batch_id)}"
    return (
        f"MERGE INTO {target} t USING ({source}) s ON {key_match(feed, SPARK)} "
        f"WHEN MATCHED AND {of_batch} AND {is_update(feed, SPARK)} "
        f"THEN UPDATE SET {', '.join(f't.{column} = s.{column}' for column in columns)} "
        f"WHEN NOT MATCHED AND {of_batch} "
        f"THEN INSERT ({', '.join(columns)}) VALUES ({', '.join(f's.{column}' for column in columns)})"
    )
