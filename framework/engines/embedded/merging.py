"""Merging: one join in DuckDB tells every staged row's case, and what the cases say is written in one commit.

A batch that only inserts is appended (where all of its rows do, by staging's own files). Into a plain local
table DuckDB writes what a plain change says (`rewriting`), into any other one, or of any other change, delta-rs
(`writing`). Files of the target without rows that change are left alone. Either commit is made against the very
version that was compared, or not at all (Conflict), and carries the batch's transaction.

What later batches may need and the target does not show is committed before it, as the same transaction. A batch
looks at what earlier ones left there, and never at its own: so it comes to the same when it is repeated.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import duckdb
from deltalake import CommitProperties, DeltaTable, QueryBuilder

from framework.batch import Manifest
from framework.engine import Merged
from framework.engines.delta import DeltaTables, check_constraints, commit, has_batch
from framework.engines.delta_errors import translated
from framework.engines.embedded.adopting import adopt, may_adopt
from framework.engines.embedded.compacting import compact_when_due
from framework.engines.embedded.replacing import replace_rows
from framework.engines.embedded.rewriting import BY_PLACE, PLACE, Rewriting, rewriting, version_of
from framework.engines.embedded.typed import refuse_rows
from framework.engines.embedded.writing import Writer, write_rows
from framework.errors import LandfeedError
from framework.law.change import Change, Insert, Nothing, Replace
from framework.law.counts import Counts, Written, check_written, counted, key_twice, too_many
from framework.law.dialects import DUCKDB
from framework.law.fitting import refuse_other_types
from framework.law.merging import CASE, classify, counts_by_case, several_partners, writing
from framework.law.relations import Relation, relations
from framework.names import Table
from framework.steps import Merge

__all__ = ["Merging", "classify_sql"]


class Merging:
    """Merges one staged batch over one connection."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        tables: DeltaTables,
        step: Merge,
        manifest: Manifest,
        write: Writer | None = None,
    ) -> None:
        """`write` is how rows are written, whatever the table is like."""
        self._db, self._tables, self._write = connection, tables, write
        self._change, self._table, self._staging = step.change, step.target, step.staging
        self._memory, self._manifest = step.memory, manifest

    def merge(self, staging_version: int) -> Merged:
        """See `Engine.merge`."""
        target = self._opened(self._table)
        merged = self._merged(target, staging_version)
        compact_when_due(target, self._table)
        return merged

    def _merged(self, target: DeltaTable, staging_version: int) -> Merged:
        done = self._tables.merged(self._table, target, self._manifest)
        if done is not None:
            return done
        staging = self._tables.at(self._staging, staging_version)
        there = self._tables.columns(target)
        refuse_other_types(self._table, self._change.columns, self._tables.columns(staging), there)
        if self._change.replace is not None:
            return self._replace(self._change.replace, staging, target)
        case = self._change.into_nothing if self._meets_nothing(target) else None
        if case is not None:
            return self._all_as(case, staging, target)
        plain = self._plain(staging, target)
        if plain is not None:
            return self._by_rewriting(plain, staging)
        self._view("s", self._staging, staging)
        self._view("t", self._table, target)
        return self._one_by_one(target)

    def _opened(self, table: Table) -> DeltaTable:
        delta = self._tables.open(table)
        if delta is None:
            raise LandfeedError(f"table {table} was removed during the run", "run again", code="table")
        self._tables.writable(delta, table)
        return delta

    def _rewriting(self, target: DeltaTable) -> Rewriting | None:
        """How DuckDB writes the target; None when delta-rs has to."""
        if self._write is not None or self._change.match is None:
            return None
        return rewriting(self._tables, self._table, target, self._change)

    def _plain(self, staging: DeltaTable, target: DeltaTable) -> Rewriting | None:
        """The same for a plain change, which the views `s` and `t` are then made for."""
        found = self._rewriting(target) if self._change.plain else None
        source = version_of(staging, self._tables.uri(self._staging)) if found else None
        if found is None or source is None or not source.paths:
            return None
        for name, query in (("s", source.select(["*"])), ("t", found.rows)):
            self._db.execute(f"DROP VIEW IF EXISTS {name}")
            if not self._binds(f"CREATE TEMP VIEW {name} AS {query}"):
                return None
        return found

    def _by_rewriting(self, plain: Rewriting, staging: DeltaTable) -> Merged:
        places = [f"{side}.{DUCKDB.name(PLACE)} AS {side}_at" for side in "st"]
        query = classify(self._change, "s", "t", (), DUCKDB, places)
        counts = self._classified([Relation("classified", query)])
        merged = self._manifest.merged(counted(self._change, counts, self._manifest.rows))
        properties, target = commit(merged, files=False), plain.target
        case = next((case for case, rows in counts.items() if rows == merged.rows.staged), None)
        write = self._change.cases[case].write if case is not None else None
        if isinstance(write, Insert) and may_adopt(staging, target, write.columns):
            self._adopt(staging, target, counts, properties)
        else:
            plain.write(self._db, BY_PLACE, counts, properties)
        return Merged(target.version(), merged.rows)

    def _meets_nothing(self, target: DeltaTable) -> bool:
        return self._change.match is None or not self._tables.records(self._table, target.version())

    def _replace(self, what: Replace, staging: DeltaTable, target: DeltaTable) -> Merged:
        """Every staged row is in the target then, in the place of others."""
        counts = {0: self._manifest.rows.staged}
        merged = self._manifest.merged(counted(self._change, counts, self._manifest.rows))
        self._view("s", self._staging, staging)
        with translated(self._table):
            rows = replace_rows(self._db, target, self._change, what, commit(merged, files=False))
        check_written(self._change, counts, Written(rows), self._table)
        return Merged(target.version(), merged.rows)

    def _all_as(self, case: int, staging: DeltaTable, target: DeltaTable) -> Merged:
        """Every staged row is of one case, that of rows without a partner."""
        counts, write = {case: self._manifest.rows.staged}, self._change.cases[case].write
        merged = self._manifest.merged(counted(self._change, counts, self._manifest.rows))
        if isinstance(write, Nothing):
            self._tables.seal(self._table, target, merged, files=False)
        elif isinstance(write, Insert) and self._tables.local and may_adopt(staging, target, write.columns):
            self._adopt(staging, target, counts, commit(merged, files=False))
        else:
            self._view("s", self._staging, staging)
            columns = write.columns if isinstance(write, Insert) else self._change.columns
            self._commit(target, f"SELECT {DUCKDB.names(columns)}, {case} AS {CASE} FROM s", counts, merged)
        return Merged(target.version(), merged.rows)

    def _adopt(self, staging: DeltaTable, target: DeltaTable, counts: Counts, properties: CommitProperties) -> None:
        folders = self._tables.uri(self._staging), self._tables.uri(self._table)
        with translated(self._table):
            rows = adopt(folders[0], staging.version(), folders[1], target, properties)
        check_written(self._change, counts, Written(rows), self._table)

    def _one_by_one(self, target: DeltaTable) -> Merged:
        """Tell every row's case, count them, remember what has to be, and write those that write something."""
        self._remembered_before()
        change, counts = self._change, self._classified(relations(self._change, DUCKDB))
        merged = self._manifest.merged(counted(change, counts, self._manifest.rows))
        self._remember(merged)
        some = f" WHERE {writing(change)}" if set(counts) - set(change.writing) else ""
        self._commit(target, f"SELECT {DUCKDB.names(change.columns)}, {CASE} FROM classified{some}", counts, merged)
        return Merged(target.version(), merged.rows)

    def _classified(self, told: Iterable[Relation]) -> Counts:
        """Keep what tells of every row's case in tables, the last but for what is remembered being `classified`; how
        many rows each case has."""
        change = self._change
        for name, query in told:
            self._db.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")
        counts = dict(self._db.execute(counts_by_case("classified")).fetchall())
        if change.match is not None and too_many(change, counts, self._manifest.rows):
            found = self._db.execute(several_partners(change.match, "s", "t", DUCKDB)).fetchone()
            raise key_twice(self._table, change.match, found or ())
        return counts

    # What the target does not show

    def _remembered_before(self) -> None:
        """What earlier batches left to be remembered, as the relation `c`."""
        if self._memory is None:
            return
        self._view("every", self._memory, self._opened(self._memory))
        batch = self._manifest.batch
        mine = f"_feed = {DUCKDB.text(batch.feed)} AND _batch < {batch.seq}"
        self._db.execute(f"CREATE OR REPLACE TEMP VIEW c AS SELECT * FROM every WHERE {mine}")

    def _remember(self, merged: Manifest) -> None:
        """Commit what has to be remembered. Of what an earlier attempt committed for this batch nothing comes again;
        when another writer changed the target meanwhile there may be more."""
        if self._memory is None:
            return
        memory, batch = self._opened(self._memory), merged.batch
        rest = ""
        if has_batch(memory, batch.feed, batch.seq):
            listed = ", ".join(f"c.{DUCKDB.name(name)}" for name in self._db.sql("FROM remembered").columns)
            rest = f" EXCEPT SELECT {listed} FROM every AS c WHERE _batch_id = {DUCKDB.text(merged.batch_id)}"
        if not self._db.execute(f"SELECT 1 FROM (SELECT * FROM remembered{rest}) LIMIT 1").fetchall():
            return
        by = f"{DUCKDB.text(batch.feed)} AS _feed, CAST({batch.seq} AS BIGINT) AS _batch"
        by += f", {DUCKDB.text(merged.batch_id)} AS _batch_id"
        rows = self._db.sql(f"SELECT {by}, r.* FROM (SELECT * FROM remembered{rest}) AS r")
        refuse_rows(self._db, self._memory, rows, self._tables.columns(memory))
        self._tables.append(self._memory, memory, rows, merged.without_files())

    # Writing and reading

    def _commit(self, target: DeltaTable, query: str, counts: Counts, merged: Manifest) -> None:
        """Write rows with cases; a commit without rows still carries the batch's transaction."""
        rows = self._db.sql(query)
        refuse_rows(self._db, self._table, rows, self._tables.columns(target))
        found, properties = self._rewriting(target), commit(merged, files=False)
        if found is not None:
            found.write(self._db, found.place(self._db, query), counts, properties)
            return
        with translated(self._table, check_constraints(target)):
            written = (self._write or write_rows)(target, rows, self._change, counts, properties)
        check_written(self._change, counts, written, self._table)

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


def classify_sql(change: Change) -> Sequence[str]:
    """The queries that tell every staged row's case, over the views `s`, `t` and `c`."""
    every = list(relations(change, DUCKDB))
    if len(every) == 1:
        return [every[0].query]
    return [f"CREATE TEMP TABLE {name} AS {query}" for name, query in every]
