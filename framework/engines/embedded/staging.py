"""Staging: from the table `batch` to two commits, the quarantine's and staging's."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

import duckdb
from deltalake import DeltaTable, QueryBuilder

from framework.batch import Manifest
from framework.engine import Seal, Staged, staged_meanwhile
from framework.engines.delta import DeltaTables, has_batch
from framework.engines.delta_errors import translated
from framework.engines.embedded.checking import check_batch
from framework.engines.embedded.clean import CleanBatch
from framework.engines.embedded.files import FileRead, located
from framework.engines.embedded.handover import insert_rows
from framework.engines.embedded.known import collect
from framework.engines.embedded.reading import Reader
from framework.engines.embedded.sql import LEFT, bad_rows
from framework.engines.embedded.typed import refuse_rows
from framework.feed import Feed
from framework.law.change import Match
from framework.law.checks import asks
from framework.law.dialects import DUCKDB
from framework.law.headers import seen
from framework.law.ranking import ranked
from framework.law.reasons import reason_counts
from framework.law.rules import malformed
from framework.law.selects import Select, rendered
from framework.law.snapshots import Lost, duplicates, guarded, lost
from framework.law.staging import FILE, KIND, ROW, audit_values, quarantined, staged
from framework.law.survivors import AllRows, Fold, OneRow, Survivor
from framework.law.verdict import REASONS, Figures, Judgement, Verdict, conserved, judge, most_frequent
from framework.machine import own_folder
from framework.names import Reason
from framework.opening import Piece
from framework.steps import Stage

__all__ = ["Staging"]

_ERRORS = 'STRUCT(code VARCHAR, "column" VARCHAR, value VARCHAR, message VARCHAR)[]'
_KEPT = 100_000
"""Bad rows of a file that are looked up in it before it is known whether it is rejected for them."""
_CHUNK = 1 << 16
_PLACES = "_file INTEGER, id BIGINT, _line BIGINT, _record VARCHAR"
_QUARANTINE = f"_line BIGINT, _record VARCHAR, _errors {_ERRORS}, _file INTEGER"


class Staging:
    """Stages one batch over one connection."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, tables: DeltaTables) -> None:
        self._db, self._tables = connection, tables
        self._clean = "true"
        """SQL for: a row of the table `batch` is clean. Looking at no column is fastest when all are."""
        self._placed: set[int] = set()
        """The files whose bad rows are all in the table `places`, so that each file is looked through once."""

    def stage(self, step: Stage, pieces: Sequence[Piece], loaded_at: datetime, seal: Seal) -> Staged:
        """See `Engine.stage`."""
        collect(self._db, self._tables, step.feed)
        clean = CleanBatch(self._db, self._tables, step).stage(pieces, loaded_at, seal)
        if clean is not None:
            return clean
        feed, paths = step.feed, [piece.source.file.shown for piece in pieces]
        with own_folder() as folder:
            audit = audit_values(step.batch.id, paths, loaded_at, DUCKDB)
            files = Reader(self._db, feed, folder, audit).read(pieces)
            judgement = judge(feed, self._figures(feed, files), step.header)
            self._leave_out(judgement)
            if step.pictured is not None and judgement.accepts:
                judgement = guarded(feed, judgement, self._lost(feed, step.pictured))
                self._leave_out(judgement)
            self._deduplicate(feed, step.survivor)
            checked = check_batch(self._db, feed, self._clean, audit, paths)
            manifest = seal(judgement.outcomes(*self._staged(files)), checked)
            if manifest.rows.quarantined:
                self._fill_quarantine(feed, files)
        before = self._tables.to_stage(step)
        if manifest.rows.quarantined:
            self._commit_quarantine(step, paths, manifest)
        staged = self._commit_staging(step, paths, manifest, before)
        self._db.execute("DROP TABLE batch")
        return staged

    # What is counted, and what is left out for it

    def _figures(self, feed: Feed, files: Sequence[FileRead]) -> list[Figures]:
        dropped = f"count(CASE WHEN {LEFT} = '{Verdict.DROP}' THEN 1 END)" if asks(feed) else "0"
        query = f'SELECT _file, count(*), count("_texts"), min(rowid), {dropped} FROM batch GROUP BY _file'
        counts = {index: figures for index, *figures in self._db.execute(query).fetchall()}
        counted: dict[int, list[_Counted]] = {}
        if asks(feed):
            self._clean = f"_texts IS NULL AND {LEFT} IS NULL"
        if any(bad for _, bad, _, _ in counts.values()):
            self._clean = self._clean if asks(feed) else "_texts IS NULL"
            for index, *rest in self._db.execute(reason_counts(bad_rows(feed), "_row", DUCKDB)).fetchall():
                counted.setdefault(index, []).append(_Counted(*rest))
        self._db.execute(f"CREATE OR REPLACE TEMP TABLE places ({_PLACES})")
        all_broken, figures = self._broken(), []
        for file in files:
            read, bad, first, filtered = counts.get(file.index, (0, 0, 0, 0))
            broken, malformed = all_broken.get(file.index, (0, []))
            mine = counted.get(file.index, [])
            why = self._reasons(feed, file, mine, first, malformed) if file.rejected is None else ()
            figures.append(
                Figures(
                    file.file,
                    read + broken + file.no_rows,
                    bad + broken,
                    filtered + file.no_rows,
                    reasons=why,
                    unreadable=file.rejected,
                    seen=seen(feed, file.piece.layout, file.piece.encoding, header=file.piece.header is not None),
                )
            )
        return figures

    def _broken(self) -> dict[int, tuple[int, list[Reason]]]:
        """How many records of each file are malformed, and the most frequent reasons."""
        grouped = "SELECT _file, why, count(*) AS rows, min(_line) AS line FROM broken GROUP BY _file, why"
        all_of_it = "sum(rows) OVER (PARTITION BY _file)::BIGINT"
        rank = "row_number() OVER (PARTITION BY _file ORDER BY rows DESC, line NULLS LAST, why)"
        query = f"SELECT _file, {all_of_it}, why, rows, line FROM ({grouped}) QUALIFY {rank} <= {REASONS}"
        found: dict[int, tuple[int, list[Reason]]] = {}
        for index, number, why, rows, line in self._db.execute(query).fetchall():
            reason = Reason("malformed_record", None, rows, None, line, why)
            found.setdefault(index, (number, []))[1].append(reason)
        return found

    def _reasons(
        self, feed: Feed, file: FileRead, counted: Sequence[_Counted], first: int, malformed: Sequence[Reason]
    ) -> tuple[Reason, ...]:
        """A file's most frequent reasons, with the lines of the first rows; `first` is the file's first rowid."""
        most = sorted(counted, key=lambda e: (-e.rows, e.row, e.code, e.column or "", e.message))[:REASONS]
        wanted, lines = sorted({each.row for each in most}), {}
        if most:
            rows = self._bad_rows_of(file.index, _KEPT + 1)
            if len(rows) <= _KEPT:
                self._place(feed, file, rows, first)
                query = f"SELECT id, _line FROM places WHERE id IN ({', '.join(map(str, wanted))})"
                lines = dict(self._db.execute(query).fetchall())
            else:
                lines = {row: line for row, line, _ in _located(feed, file, wanted, first)}
        found = [Reason(e.code, e.column, e.rows, e.value, lines.get(e.row), e.message) for e in most]
        return most_frequent([*malformed, *found])

    def _bad_rows_of(self, index: int, most: int | None = None) -> array[int]:
        """The rowids of a file's bad rows, ascending."""
        limit = "" if most is None else f" LIMIT {most}"
        found = self._db.execute(
            f"SELECT rowid FROM batch WHERE _texts IS NOT NULL AND _file = {index} ORDER BY rowid{limit}"
        )
        rows = array("q")
        while chunk := found.fetchmany(_CHUNK):
            rows.extend(row for (row,) in chunk)
        return rows

    def _place(self, feed: Feed, file: FileRead, rows: Sequence[int], first: int) -> None:
        """Collect where all bad rows of a file stand in the table `places`."""
        where = _located(feed, file, rows, first)
        insert_rows(self._db, "places", ((file.index, row, line, raw) for row, line, raw in where))
        self._placed.add(file.index)

    def _leave_out(self, judgement: Judgement) -> None:
        """Delete the rows of rejected files from the table `batch`."""
        rejected = [str(index) for index, why in enumerate(judgement.rejected) if why is not None]
        if rejected:
            for table in ("batch", "broken"):
                self._db.execute(f"DELETE FROM {table} WHERE _file IN ({', '.join(rejected)})")

    def _lost(self, feed: Feed, match: Match) -> Lost:
        """What the clean rows, which are a complete picture, have twice, and which keys of the target they lack."""
        values = {column.name: f"v{index}" for index, column in enumerate(feed.columns)}
        keys = ", ".join(f"{values[key]} AS {DUCKDB.name(key)}" for key in feed.target.keys)
        rows = f"(SELECT {keys} FROM batch WHERE {self._clean})"
        twice = self._db.execute(duplicates(feed, rows, DUCKDB)).fetchall()
        target = self._tables.open(feed.target.table)
        if target is None:
            return Lost(twice)
        with translated(feed.target.table):
            reader = QueryBuilder().register("t", target).execute("SELECT * FROM t")
        self._db.register("there", reader)
        ((missing, live),) = self._db.execute(lost(feed, match, rows, "there", DUCKDB)).fetchall()
        self._db.unregister("there")
        return Lost(twice, int(missing), live)

    def _deduplicate(self, feed: Feed, survivor: Survivor) -> None:
        """Collect the rowids of clean rows that another row of the same key in the batch beats in `losers`."""
        self._db.execute("CREATE OR REPLACE TEMP TABLE losers (id BIGINT, _file INTEGER)")
        if isinstance(survivor, AllRows):
            return
        keys = ", ".join(f"v{index}" for index, column in enumerate(feed.columns) if column.name in survivor.keys)
        distinct = f"(SELECT count(*) FROM (SELECT DISTINCT {keys} FROM batch WHERE {self._clean}))"
        same = self._db.execute(f"SELECT count(*) = {distinct} FROM batch WHERE {self._clean}").fetchone()
        if same == (True,) and not (isinstance(survivor, OneRow) and survivor.truncates):
            return
        selects, rank = self._ranked(feed, survivor)
        beaten = Select((DUCKDB.name(ROW), DUCKDB.name(FILE)), f"{rank} > 1")
        self._db.execute(f"INSERT INTO losers {rendered('batch', [*selects, beaten])}")

    def _ranked(self, feed: Feed, survivor: OneRow | Fold) -> tuple[list[Select], str]:
        """The clean rows of the table `batch` with their rank among those of their key."""
        (first, *others), rank = ranked(feed, survivor, {FILE: "_file", ROW: "rowid"}, DUCKDB)
        return [replace(first, where=self._clean), *others], rank

    def _staged(self, files: Sequence[FileRead]) -> tuple[list[int], list[int]]:
        """How many rows of each file stay, and how many are beaten."""
        beaten = dict(self._db.execute("SELECT _file, count(*) FROM losers GROUP BY _file").fetchall())
        but = "AND rowid NOT IN (SELECT id FROM losers)" if beaten else ""
        query = f"SELECT _file, count(*) FROM batch WHERE {self._clean} {but} GROUP BY _file"
        staged = dict(self._db.execute(query).fetchall())
        return [staged.get(file.index, 0) for file in files], [beaten.get(file.index, 0) for file in files]

    # Quarantine

    def _fill_quarantine(self, feed: Feed, files: Sequence[FileRead]) -> None:
        """Collect the bad rows with their reasons, lines and raw records in the table `quarantined`."""
        self._db.execute(f"CREATE OR REPLACE TEMP TABLE quarantined ({_QUARANTINE})")
        query = "SELECT _file, min(rowid) FROM batch GROUP BY _file HAVING count(_texts) > 0"
        for index, first in self._db.execute(query).fetchall():
            if index not in self._placed:
                self._place(feed, files[index], self._bad_rows_of(index), first)
        self._db.execute(
            f"INSERT INTO quarantined SELECT _line, _record, {malformed('why', DUCKDB)}, _file FROM broken"
        )
        # A bad row without a place would be missing here, which the count of what was quarantined tells.
        self._db.execute(
            f"INSERT INTO quarantined SELECT p._line, p._record, r._errors, r._file "
            f"FROM {bad_rows(feed)} r JOIN places p ON p.id = r._row ORDER BY r._file, r._row"
        )

    def _commit_quarantine(self, step: Stage, paths: Sequence[str], manifest: Manifest) -> None:
        """Append the bad rows, unless an earlier process already did for this batch."""
        table = step.feed.quarantine.table
        delta = self._tables.open(table)
        if delta is not None:
            self._tables.writable(delta, table)
            if has_batch(delta, step.feed.name, step.batch.seq):
                return
        select = quarantined(step.feed, step.batch.id, paths, manifest.staged_at, DUCKDB)
        rows = self._db.sql(f"{rendered('quarantined', [select])} ORDER BY _file, quarantined._line")
        refuse_rows(self._db, table, rows, self._tables.columns(delta) if delta is not None else ())
        appended = self._tables.append(table, delta, rows, manifest)
        conserved(step.feed, "quarantined", manifest.rows.quarantined, appended)

    # Staging

    def _commit_staging(
        self, step: Stage, paths: Sequence[str], manifest: Manifest, before: DeltaTable | None
    ) -> Staged:
        """Overwrite the very version of staging that was there before, or nothing (Conflict)."""
        table = step.feed.target.staging
        rows = self._db.sql(rendered("batch", self._selected(step, paths, manifest)))
        version = self._tables.overwrite(table, before, rows, manifest)
        written = before or self._tables.open(table)
        if written is None or written.version() != version:  # somebody else made the table at the same moment
            raise staged_meanwhile(step.feed)
        conserved(step.feed, "staged", manifest.rows.staged, self._tables.records_in(written))
        return Staged(manifest, version, self._tables.columns(written))

    def _selected(self, step: Stage, files: Sequence[str], manifest: Manifest) -> list[Select]:
        """The steps from the table `batch` to staging."""
        feed, survivor, batch, at = step.feed, step.survivor, step.batch.id, manifest.staged_at
        if isinstance(survivor, Fold) and manifest.rows.deduplicated:
            selects, rank = self._ranked(feed, survivor)
            names = [DUCKDB.name(column.name) for column in feed.columns]
            kind, position = DUCKDB.name(KIND) if feed.target.deletes else None, DUCKDB.name(FILE)
            last = staged(feed, batch, files, at, DUCKDB, values=names, kind=kind, position=position)
            return [*selects, replace(last, where=f"{rank} = 1")]
        but = "AND rowid NOT IN (SELECT id FROM losers)" if manifest.rows.deduplicated else ""
        return [replace(staged(feed, batch, files, at, DUCKDB), where=f"{self._clean} {but}")]


class _Counted(NamedTuple):
    """A reason as DuckDB counts it; `row` is the rowid of the first row that has it."""

    code: str
    column: str | None
    rows: int
    row: int
    value: str | None
    message: str


def _located(feed: Feed, file: FileRead, rows: Sequence[int], first: int) -> Iterator[tuple[int, int, str]]:
    """Where rows of a file with these rowids (ascending) stand: (rowid, line, text). `first` is the file's first."""
    where = located(file, feed, (row - first for row in rows))
    return ((first + ordinal, line, raw) for ordinal, line, raw in where)
