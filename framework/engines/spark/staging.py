"""Staging: records become rows, which overwrite staging; then the batch is sealed.

Spark has no commit that waits until its rows are counted, and reading twice to count first would cost
as much again. So the rows are written first, the figures are taken from what was written, and a commit
without rows gives them to the table with the batch's transaction. Until that seal the rows belong to
nobody: a process that dies before it leaves a staging table that the next one overwrites.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from framework.batch import Checked, Manifest
from framework.engine import Seal, Staged, staged_meanwhile
from framework.engines.spark.away import Executors
from framework.engines.spark.rows import BatchRows, applied
from framework.engines.spark.session import translated
from framework.engines.spark.tables import SparkTables
from framework.feed import Check
from framework.law.batch_checks import (
    SAMPLES,
    aggregates,
    failing,
    outcomes,
    required,
    row_counts,
    sample,
    sample_columns,
)
from framework.law.change import Match
from framework.law.checks import FLAGS, asks, warns
from framework.law.dialects import SPARK
from framework.law.headers import seen
from framework.law.ranking import key_terms
from framework.law.reasons import reason_counts
from framework.law.selects import Select
from framework.law.snapshots import Lost, duplicates, guarded, lost
from framework.law.staging import quarantined
from framework.law.survivors import AllRows
from framework.law.verdict import Figures, Verdict, conserved, judge, most_frequent
from framework.names import AUDIT_COLUMNS, CHANGE, Reason
from framework.opening import Piece
from framework.steps import Stage, TableColumn
from framework.types import Scalar

__all__ = ["Staging"]

_SOURCE, _, _ = AUDIT_COLUMNS


class Staging:
    """Stages one batch."""

    def __init__(
        self, tables: SparkTables, executors: Executors, step: Stage, pieces: Sequence[Piece], loaded_at: datetime
    ) -> None:
        self._tables, self._executors, self._step, self._feed = tables, executors, step, step.feed
        self._survivor, self._header, self._pictured = step.survivor, step.header, step.pictured
        self._pieces, self._loaded_at = pieces, loaded_at
        self._paths = [piece.source.file.shown for piece in pieces]
        self._staging = step.feed.target.staging
        self._writes = self._empty_writes = 0

    def stage(self, seal: Seal) -> Staged:
        """See `Engine.stage`."""
        feed, before = self._feed, self._tables.prepare_staging(self._staging, self._columns())
        rows = BatchRows(self._tables, self._executors, self._step, self._pieces, self._loaded_at)
        clean, keys = self._write(rows)
        for piece in self._pieces:
            piece.source.done = True
        while rows.reader.look_again(clean):
            clean, keys = self._write(rows)
        asked = self._ask(rows, clean)
        judgement = judge(feed, self._figures(rows, clean, asked), self._header)
        if judgement.refused:
            rows.refused = judgement.refused
            clean, keys = self._write(rows)
        if self._pictured is not None and judgement.accepts:
            judgement = guarded(feed, judgement, self._lost(self._pictured))
            if judgement.refused != rows.refused:
                rows.refused = judgement.refused
                clean, keys = self._write(rows)
        kept = clean
        if sum(clean.values()) > keys:
            kept, _ = self._write(rows, once=True)
            conserved(feed, "staged", keys, sum(kept.values()))
        checked = self._checked(rows, asked, twice=clean != kept)
        manifest = seal(judgement.outcomes(*self._by_position(clean, kept)), checked)
        if manifest.rows.quarantined:
            self._quarantine(rows, manifest)
        self._tables.seal(self._staging, manifest, files=True)
        version = self._tables.version(self._staging)
        if not self._are_ours(version, before):
            raise staged_meanwhile(feed)
        return Staged(manifest, version, self._tables.columns(self._staging))

    def _are_ours(self, version: int, before: int) -> bool:
        """Whether staging's commits since version `before` are as many as were made here, with the seal.
        Delta makes none when an empty table is overwritten with nothing."""
        ours = self._writes + 1
        if not self._empty_writes and version == before + ours:
            return True
        return ours - self._empty_writes <= self._tables.commits_since(self._staging, before) <= ours

    def _columns(self) -> list[TableColumn]:
        audit = [Scalar("string"), Scalar("string"), Scalar("timestamp")]
        return [
            *(TableColumn(column.name, column.type) for column in self._feed.columns),
            *([TableColumn(CHANGE, Scalar("string"))] if self._feed.target.deletes else []),
            *(TableColumn(name, type_) for name, type_ in zip(AUDIT_COLUMNS, audit, strict=True)),
        ]

    # Rows into staging

    def _write(self, rows: BatchRows, *, once: bool = False) -> tuple[dict[str, int], int]:
        """Overwrite staging with the clean rows (of each key only the one that counts, with `once`); count
        what it then holds: rows by file, and different keys."""
        self._tables.overwrite(self._staging, rows.clean(once=once))
        clean, keys = self._count()
        self._writes += 1
        self._empty_writes += not keys
        return clean, keys

    def _count(self) -> tuple[dict[str, int], int]:
        """How many rows staging holds, by file, and how many different keys."""
        reference = self._tables.reference(self._staging)
        by_key = f"SELECT 1 AS number FROM {reference}"  # where all rows survive, each is one for itself
        if not isinstance(self._survivor, AllRows):
            by_key = f"SELECT count(*) AS number FROM {reference} GROUP BY {key_terms(self._survivor, CHANGE, SPARK)}"
        if len(self._pieces) == 1:  # one look at staging is enough
            query = f"SELECT coalesce(sum(number), 0), count(*) FROM ({by_key})"
            ((number, different),) = self._tables.sql(self._staging, query)
            return {self._pieces[0].source.file.shown: number}, different
        by_file = f"SELECT {_SOURCE} AS file, count(*) AS number FROM {reference} GROUP BY {_SOURCE}"
        listed = f"SELECT collect_list(struct(file, number)) FROM ({by_file})"
        query = f"SELECT ({listed}), (SELECT count(*) FROM ({by_key}))"
        ((counted, different),) = self._tables.sql(self._staging, query)
        return {row["file"]: row["number"] for row in counted}, different

    def _lost(self, match: Match) -> Lost:
        """What the rows of staging, a complete picture, have twice, and which keys of the target they lack."""
        feed, table, rows = self._feed, self._feed.target.table, self._tables.reference(self._staging)
        twice = self._tables.sql(self._staging, duplicates(feed, rows, SPARK))
        if self._tables.version(table) < 0:
            return Lost(twice)
        ((missing, live),) = self._tables.sql(table, lost(feed, match, rows, self._tables.reference(table), SPARK))
        return Lost(twice, int(missing), live)

    # What rows are asked

    def _ask(self, rows: BatchRows, clean: Mapping[str, int]) -> dict[int, Sequence[int]]:
        """By file how many rows are left out, how many stop the feed, and how many fail each check of rows. The files
        are read once more for it, unless all their rows are clean and no check only warns."""
        all_clean = all(file.rejected or file.read == clean.get(file.file.shown, 0) for file in rows.reader.files)
        if not asks(self._feed) or (all_clean and not warns(self._feed)):
            return {}
        asked = rows.of(lambda _: Select(("_file", "_verdict", FLAGS)))
        if asked is None:
            return {}
        left = (f"count(CASE WHEN _verdict = '{verdict}' THEN 1 END)" for verdict in (Verdict.DROP, Verdict.FAIL))
        counts = ", ".join([*left, *row_counts(self._feed)])
        query = f"SELECT _file, {counts} FROM {{asked}} GROUP BY _file"
        with translated(f"feed {self._feed.name}"):
            return {index: figures for index, *figures in self._tables.spark.sql(query, asked=asked).collect()}

    def _checked(self, rows: BatchRows, asked: Mapping[int, Sequence[int]], *, twice: bool) -> Sequence[Checked]:
        """What came of the batch's checks. Raises PolicyError."""
        feed = self._feed
        if not feed.checks:
            return ()
        kept = [figures[2:] for index, figures in asked.items() if index not in rows.refused]
        counts = [sum(each) for each in zip(*kept, strict=True)] or [0] * len(row_counts(feed))
        values = {column.name: SPARK.name(column.name) for column in feed.columns}
        items = [f"{sql} AS a{index}" for index, sql in enumerate(aggregates(feed, rows.audit() | values, SPARK))]
        found: Sequence[Any] = ()
        if items:
            clear = rows.clean(once=twice, clear=True)
            with translated(f"feed {feed.name}"):
                found = tuple(clear.selectExpr(*items).collect()[0])
        return required(feed, outcomes(feed, counts, found), lambda check: self._samples(rows, check))

    def _samples(self, rows: BatchRows, check: Check) -> list[str]:
        feed, names = self._feed, sample_columns(self._feed, check)
        by_name = {column.name: f"v{index}" for index, column in enumerate(feed.columns)}
        texts = (f"{SPARK.as_text(by_name[name])} AS s{index}" for index, name in enumerate(names))
        bad = rows.of(lambda _: Select(("_file", "_line", *texts), failing(feed, check)))
        with translated(f"feed {feed.name}"):
            found = bad.orderBy("_file", "_line").limit(SAMPLES).collect()
        return [sample(self._pieces[index].source.file.shown, names, values) for index, _, *values in found]

    # Bad rows

    def _figures(self, rows: BatchRows, clean: Mapping[str, int], asked: Mapping[int, Sequence[int]]) -> list[Figures]:
        filtered = [asked[file.index][0] if file.index in asked else 0 for file in rows.reader.files]
        stopping = [asked[file.index][1] if file.index in asked else 0 for file in rows.reader.files]
        left = zip(rows.reader.files, filtered, stopping, strict=True)
        bad = [file.read - clean.get(file.file.shown, 0) - out - stop for file, out, stop in left]
        unreadable = [file.rejected for file in rows.reader.files]
        some = any(count for count, why in zip(bad, unreadable, strict=True) if why is None)
        reasons = self._reasons(rows) if some else {}
        return [
            Figures(
                file.file,
                file.read + file.no_rows,
                count,
                out + file.no_rows,
                reasons=reasons.get(file.index, ()) if file.rejected is None else (),
                unreadable=file.rejected,
                seen=seen(self._feed, file.piece.layout, file.piece.encoding, header=file.piece.header is not None),
            )
            for file, count, out in zip(rows.reader.files, bad, filtered, strict=True)
        ]

    def _reasons(self, rows: BatchRows) -> dict[int, tuple[Reason, ...]]:
        """The most frequent reasons by file."""
        query = reason_counts("{bad}", "_line", SPARK)
        with translated(f"feed {self._feed.name}"):
            counted = self._tables.spark.sql(query, bad=rows.bad()).collect()
        found: dict[int, list[Reason]] = {}
        for index, code, column, count, line, value, message in counted:
            found.setdefault(index, []).append(Reason(code, column, count, value, line, message))
        return {index: most_frequent(reasons) for index, reasons in found.items()}

    def _by_position(self, clean: Mapping[str, int], kept: Mapping[str, int]) -> tuple[list[int], list[int]]:
        """How many rows of each file stay, and how many another row of their key beats."""
        beaten = [clean.get(path, 0) - kept.get(path, 0) for path in self._paths]
        return [kept.get(path, 0) for path in self._paths], beaten

    def _quarantine(self, rows: BatchRows, manifest: Manifest) -> None:
        """Append the bad rows, once, and check that they are all there."""
        feed, table = self._feed, self._feed.quarantine.table
        select = quarantined(feed, self._step.batch.id, self._paths, manifest.staged_at, SPARK)
        self._tables.append(table, applied(rows.bad(), [select]), manifest, files=True)
        batch = f"_feed = {SPARK.text(feed.name)} AND _batch_id = {SPARK.text(self._step.batch.id)}"
        query = f"SELECT count(*) FROM {self._tables.reference(table)} WHERE {batch}"
        ((count,),) = self._tables.sql(table, query)
        conserved(feed, "quarantined", manifest.rows.quarantined, count)
