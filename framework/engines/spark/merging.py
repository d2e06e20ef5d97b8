"""Merging: one MERGE statement, and a commit without rows that carries the batch's transaction.

A MERGE cannot carry a transaction or a manifest where session settings are not to be had, so these
follow in a commit of their own. If the process dies in between, the next one finds the MERGE in the
table's history by the batch id in its clauses, with its figures, and only seals it. A MERGE that is
repeated changes nothing.

What later batches may need and the target does not show is appended before it. A batch looks at what
earlier ones left there, and never at its own: so it comes to the same when it is repeated.
"""

from __future__ import annotations

from collections.abc import Mapping

from framework.batch import Manifest
from framework.engine import Merged
from framework.engines.spark.session import translated
from framework.engines.spark.tables import Commit, SparkTables
from framework.errors import Conflict, LandfeedError
from framework.law.change import Insert, Replace
from framework.law.counts import (
    Counts,
    Written,
    check_written,
    counted,
    counts_from_writes,
    expected_writes,
    key_twice,
    too_many,
)
from framework.law.dialects import SPARK
from framework.law.fitting import refuse_other_types
from framework.law.merging import CASE, classify, counts_by_case, merge_statement, several_partners, writing
from framework.law.relations import relations
from framework.law.replacing import replaced, values_of
from framework.names import AUDIT_COLUMNS, Table
from framework.steps import Merge

__all__ = ["Merging"]

_, _BATCH, _ = AUDIT_COLUMNS
_OF = "_lf_batch"
"""A column of the rows that a MERGE takes, which names the batch: rows of a history may be of others."""
_SMALL = 20_000
"""Rows of a batch of which it always pays to tell the cases first: few files may have to be rewritten."""
_REMEMBERED = -1
"""What stands in place of a case where rows that have to be remembered are counted."""
_CLOCKS_DIFFER = 86_400
"""Seconds by which the clocks of two machines may differ."""


class Merging:
    """Merges one staged batch."""

    def __init__(
        self, tables: SparkTables, step: Merge, manifest: Manifest, staging_version: int, small: int = _SMALL
    ) -> None:
        self._tables, self._change, self._manifest = tables, step.change, manifest
        self._table, self._staging, self._memory = step.target, step.staging, step.memory
        self._version, self._small = staging_version, small
        self._staged = f"(SELECT * FROM {tables.reference(step.staging, staging_version)})"

    def merge(self) -> Merged:
        """See `Engine.merge`."""
        manifest, tables = self._manifest, self._tables
        target = tables.state(self._table, manifest.batch.feed)
        if target is None:
            raise LandfeedError(f"table {self._table} was removed during the run", "run again", code="table")
        done = tables.merged(self._table, target.seq or 0, manifest)
        if done is not None:
            return done
        self._check_staging()
        staged = tables.columns(self._staging, self._version)
        refuse_other_types(self._table, self._change.columns, staged, target.columns)
        earlier = self._earlier()
        if earlier is not None:
            return self._seal(self._counts_of(earlier))
        if self._change.replace is not None:
            return self._replace(self._change.replace)
        meets_nothing = self._change.match is None or tables.is_empty(self._table)
        case = self._change.into_nothing if meets_nothing else None
        if case is not None:
            return self._all_as(case)
        return self._seal(self._merge(target.version) if self._change.plain else self._merge_told(target.version))

    def _check_staging(self) -> None:
        """Another runner may have overwritten staging before this batch was sealed."""
        batch_id = self._manifest.batch_id
        rows, of_batch = self._tables.rows_of_batch(self._staging, self._version, batch_id)
        if not rows == of_batch == self._manifest.rows.staged:
            raise LandfeedError(
                f"feed {self._manifest.batch.feed}: staging holds {of_batch} rows of batch {batch_id} and "
                f"{rows - of_batch} others; {self._manifest.rows.staged} were staged",
                "another runner staged this feed at the same time: run again",
                code="superseded",
            )

    def _all_as(self, case: int) -> Merged:
        """Every staged row is of one case, that of rows without a partner: one append, which carries the batch."""
        counts, write = {case: self._manifest.rows.staged}, self._change.cases[case].write
        merged = self._manifest.merged(counted(self._change, counts, self._manifest.rows))
        if not isinstance(write, Insert):
            return self._seal(counts)
        rows = self._tables.spark.sql(f"SELECT {SPARK.names(write.columns)} FROM {self._staged}")
        if not self._tables.append(self._table, rows, merged, files=False):
            raise Conflict(f"another runner merged into {self._table} at the same time")
        return Merged(self._tables.version(self._table), merged.rows)

    def _replace(self, what: Replace) -> Merged:
        """Every staged row is in the target then, in the place of others: one overwrite, which carries the batch."""
        merged = self._manifest.merged(counted(self._change, {0: self._manifest.rows.staged}, self._manifest.rows))
        where = None
        if what.columns:
            values = self._tables.sql(self._staging, values_of(what.columns, self._staged, SPARK))
            where = replaced(what.columns, values, SPARK)
        rows = self._tables.spark.sql(f"SELECT {SPARK.names(self._change.columns)} FROM {self._staged}")
        if not self._tables.replace(self._table, rows, where, merged):
            raise Conflict(f"another runner merged into {self._table} at the same time")
        return Merged(self._tables.version(self._table), merged.rows)

    def _merge(self, version: int) -> Counts:
        """Run the MERGE unless no row would change anything; how many rows were of each case.

        Delta rewrites every file that holds a matched key, whether its row changes or not. So where few rows can be
        expected to change, the cases are told and counted first, and only rows that change something take part.
        """
        target, source, counts = self._tables.reference(self._table), f"SELECT * FROM {self._staged}", None
        batch = self._manifest.batch
        before = self._tables.manifest(self._table, batch.feed, batch.seq - 1)
        classified = self._few_changes_expected(before and before[0])
        if not classified and (before is None or before[1] != version):
            self._check_keys(target)  # somebody else wrote to the table, and a MERGE takes every row of a key
        if classified:
            counts = self._counted_at(version)
            if expected_writes(self._change, counts) == Written():
                return counts
            columns = (*self._change.columns, *({_BATCH} - set(self._change.columns)))
            relation = classify(self._change, self._staged, target, columns, SPARK)
            source = f"SELECT * FROM ({relation}) WHERE {writing(self._change)}"
        batch_id = self._manifest.batch_id
        merge = merge_statement(self._change, target, source, batch_id, SPARK, classified=classified)
        self._tables.sql(self._table, merge)
        commit = self._earlier()
        if commit is None:
            raise Conflict(f"the merge of batch {batch_id} is not in the history of {self._table}")
        if counts is not None and commit.read == version:
            check_written(self._change, counts, _written(commit.metrics), self._table)
            return counts
        return self._counts_of(commit)

    def _merge_told(self, version: int) -> Counts:
        """As `_merge` for a change that is not plain: its cases are told by several relations."""
        counts, remembered = self._counted_and_remembered(version)
        if self._memory is not None and remembered:
            self._remember(self._memory, version)
        if expected_writes(self._change, counts) == Written():
            return counts
        batch_id = self._manifest.batch_id
        listed = f"{SPARK.names(self._change.columns)}, {CASE}, {SPARK.text(batch_id)} AS {_OF}"
        rows = self._told(f"SELECT {listed} FROM classified WHERE {writing(self._change)}", None)
        with self._tables.view(self._table, rows) as view:  # Delta reads no table within the WITH of a MERGE
            self._tables.refuse_rows(self._table, self._tables.spark.table(view))
            source, target = f"SELECT * FROM {view}", self._tables.reference(self._table)
            merge = merge_statement(self._change, target, source, batch_id, SPARK, classified=True, of=_OF)
            self._tables.sql(self._table, merge)
        commit = self._earlier()
        if commit is None:
            raise Conflict(f"the merge of batch {batch_id} is not in the history of {self._table}")
        if commit.read == version:
            check_written(self._change, counts, _written(commit.metrics), self._table)
            return counts
        return self._counts_of(commit)

    def _told(self, query: str, version: int | None) -> str:
        """A query over the relations of the change, with the target as it is or was at a version."""
        given = {"s": self._staged, "t": f"(SELECT * FROM {self._tables.reference(self._table, version)})"}
        if self._memory is not None:
            batch = self._manifest.batch
            mine = f"_feed = {SPARK.text(batch.feed)} AND _batch < {batch.seq}"
            given["c"] = f"(SELECT * FROM {self._tables.reference(self._memory)} WHERE {mine})"
        every = [*given.items(), *((name, f"({text})") for name, text in relations(self._change, SPARK))]
        return f"WITH {', '.join(f'{name} AS {text}' for name, text in every)} {query}"

    def _remember(self, memory: Table, version: int) -> None:
        """Append what has to be remembered, once."""
        feed, seq = SPARK.text(self._manifest.batch.feed), self._manifest.batch.seq
        by = f"{feed} AS _feed, CAST({seq} AS bigint) AS _batch, {SPARK.text(self._manifest.batch_id)} AS _batch_id"
        with translated(f"table {memory}"):
            data = self._tables.spark.sql(self._told(f"SELECT {by}, * FROM remembered", version))
        self._tables.append(memory, data, self._manifest, files=False)

    def _few_changes_expected(self, before: Manifest | None) -> bool:
        """Whether the batch is small, or the one before it changed less than half of its rows."""
        if self._manifest.rows.staged <= self._small:
            return True
        return before is not None and 2 * (before.rows.unchanged + before.rows.stale) > before.rows.staged

    def _check_keys(self, target: str) -> None:
        """Raises LandfeedError when several rows of the target have the key of a row of the batch."""
        match = self._change.match
        if match is None:
            return
        found = self._tables.sql(self._table, several_partners(match, self._staged, target, SPARK))
        if found:
            raise key_twice(self._table, match, found[0])

    def _earlier(self) -> Commit | None:
        """The first MERGE of this batch in the target's history."""
        found = None
        for commit in self._tables.history(self._table):
            if commit.at < self._manifest.staged_at.timestamp() - _CLOCKS_DIFFER:
                break
            if commit.operation == "MERGE" and _names(commit, self._manifest.batch_id):
                found = commit
        return found

    def _counts_of(self, commit: Commit) -> Counts:
        """How many rows of the batch were of each case in its MERGE: as it tells, or else as they were to the table
        that it met."""
        written = _written(commit.metrics)
        counts = None
        if self._change.plain:
            counts = counts_from_writes(self._change, written, self._manifest.rows.staged)
        if counts is None:
            counts = self._counted_at(commit.version - 1 if commit.read is None else commit.read)
        check_written(self._change, counts, written, self._table)
        return counts

    def _counted_at(self, version: int) -> Counts:
        """How many rows of the batch are of each case to the target as it was at a version."""
        return self._counted_and_remembered(version)[0]

    def _counted_and_remembered(self, version: int) -> tuple[Counts, int]:
        """… and how many rows have to be remembered."""
        target = f"(SELECT * FROM {self._tables.reference(self._table, version)})"
        if self._change.plain:
            query = counts_by_case(f"({classify(self._change, self._staged, target, (), SPARK)})")
        else:
            query = counts_by_case("classified")
            if self._memory is not None:
                query += f" UNION ALL SELECT {_REMEMBERED}, count(*) FROM remembered"
            query = self._told(query, version)
        counts = dict(map(tuple, self._tables.sql(self._table, query)))
        remembered = counts.pop(_REMEMBERED, 0)
        if too_many(self._change, counts, self._manifest.rows):
            self._check_keys(target)
        counted(self._change, counts, self._manifest.rows)
        return counts, remembered

    def _seal(self, counts: Counts) -> Merged:
        merged = self._manifest.merged(counted(self._change, counts, self._manifest.rows))
        if not self._tables.seal(self._table, merged, files=False):
            raise Conflict(f"another runner merged into {self._table} at the same time")
        return Merged(self._tables.version(self._table), merged.rows)


def _names(commit: Commit, batch_id: str) -> bool:
    """Whether a clause of a MERGE is about this batch."""
    return any(batch_id in str(text) for text in commit.parameters.values())


def _written(metrics: Mapping[str, str]) -> Written:
    """What a MERGE wrote, by its own count."""
    return Written(*(int(metrics[f"numTargetRows{what}"]) for what in ("Inserted", "Updated", "Deleted")))
