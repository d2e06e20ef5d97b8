"""Staging: records become rows, which overwrite staging; then the batch is sealed.

Spark has no commit that waits until its rows are counted, and reading twice to count first would cost
as much again. So the rows are written first, the figures are taken from what was written, and a commit
without rows gives them to the table with the batch's transaction. Until that seal the rows belong to
nobody: a process that dies before it leaves a staging table that the next one overwrites.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from framework.batch import Checked, Manifest
from framework.engine import Seal, Staged, staged_meanwhile
from framework.engines.spark.reading import Reader
from framework.engines.spark.session import translated
from framework.engines.spark.sql import row_query
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
from framework.law.layout import seen
from framework.law.ranking import key_terms, ranked
from framework.law.reasons import reason_counts
from framework.law.snapshots import Lost, duplicates, guarded, lost
from framework.law.staging import (
    BAD,
    BLOCK,
    FILE,
    KEPT,
    KIND,
    ROW,
    RowQuery,
    Select,
    audit_values,
    quarantined,
    staged,
)
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

    def __init__(self, tables: SparkTables, step: Stage, pieces: Sequence[Piece], loaded_at: datetime) -> None:
        self._tables, self._feed, self._batch = tables, step.feed, step.batch
        self._survivor, self._header, self._pictured = step.survivor, step.header, step.pictured
        self._pieces, self._loaded_at = pieces, loaded_at
        self._paths = [piece.source.file.shown for piece in pieces]
        self._staging = step.feed.target.staging
        self._writes = self._empty_writes = 0
        self._refused: tuple[int, ...] = ()
        """The positions of files that are rejected for their rows."""

    def stage(self, seal: Seal) -> Staged:
        """See `Engine.stage`."""
        feed, before = self._feed, self._tables.prepare_staging(self._staging, self._columns())
        reader = Reader(self._tables.spark, feed, self._pieces)
        clean, keys = self._write(reader)
        for piece in self._pieces:
            piece.source.done = True
        if reader.look_again(clean):
            clean, keys = self._write(reader)
        asked = self._ask(reader, clean)
        judgement = judge(feed, self._figures(reader, clean, asked), self._header)
        if judgement.refused:
            self._refused = judgement.refused
            clean, keys = self._write(reader)
        if self._pictured is not None and judgement.accepts:
            judgement = guarded(feed, judgement, self._lost(self._pictured))
            if judgement.refused != self._refused:
                self._refused = judgement.refused
                clean, keys = self._write(reader)
        kept = clean
        if sum(clean.values()) > keys:
            kept, _ = self._write(reader, once=True)
            conserved(feed, "staged", keys, sum(kept.values()))
        checked = self._checked(reader, asked, twice=clean != kept)
        manifest = seal(judgement.outcomes(*self._by_position(clean, kept)), checked)
        if manifest.rows.quarantined:
            self._quarantine(reader, manifest)
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

    def _write(self, reader: Reader, *, once: bool = False) -> tuple[dict[str, int], int]:
        """Overwrite staging with the clean rows (of each key only the one that counts, with `once`); count
        what it then holds: rows by file, and different keys."""
        self._tables.overwrite(self._staging, self._clean(reader, once=once))
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

    def _clean(self, reader: Reader, *, once: bool, clear: bool = False) -> Any:
        """The rows for staging; with `clear` before anything of them is masked."""
        feed = self._feed
        clean = self._kept(reader)
        if not once or isinstance(self._survivor, AllRows):
            return applied(clean, [staged(feed, self._batch.id, self._paths, self._loaded_at, SPARK, clear=clear)])
        place = {FILE: "_file", BLOCK: "_block", ROW: "_line"}
        selects, rank = ranked(feed, self._survivor, place, SPARK)
        names, position = [SPARK.name(column.name) for column in feed.columns], SPARK.name(FILE)
        kind = SPARK.name(KIND) if feed.target.deletes else None
        last = staged(
            feed,
            self._batch.id,
            self._paths,
            self._loaded_at,
            SPARK,
            values=names,
            kind=kind,
            position=position,
            clear=clear,
        )
        return applied(clean, [*selects, replace(last, where=f"{rank} = 1")])

    def _kept(self, reader: Reader) -> Any:
        """The clean rows of all frames: `_file`, `_block`, `_line`, v0, v1, …"""
        values = [f"v{index}" for index, _ in enumerate(self._feed.columns)]
        kept = self._rows(reader, lambda _: Select(("_file", "_block", "_line", *values), KEPT))
        if kept is not None:
            return kept
        empty = [f"{SPARK.null(column.type)} AS v{index}" for index, column in enumerate(self._feed.columns)]
        return self._tables.spark.range(0).selectExpr("0 AS _file", "0L AS _block", "0L AS _line", *empty)

    def _bad(self, reader: Reader) -> Any:
        """The bad rows of all frames: `_file`, `_line`, `_record`, `_errors`; None for no frame."""
        return self._rows(
            reader, lambda rows: Select(("_file", "_line", "_record", f"{rows.errors()} AS _errors"), BAD)
        )

    def _rows(self, reader: Reader, last: Callable[[RowQuery], Select]) -> Any:
        """What the last step leaves of the rows of all frames, without those of rejected files; None for no frame."""
        files = [piece.source.file for piece in self._pieces]
        found = None
        for frame in reader.frames:
            rows = row_query(self._feed, frame.layout, files, self._audit())
            select = last(rows)
            if self._refused:
                but = f"_file NOT IN ({', '.join(map(str, self._refused))})"
                select = replace(select, where=f"{select.where} AND {but}" if select.where else but)
            some = applied(frame.data, [*rows.selects(), select])
            found = some if found is None else found.unionByName(some)
        return found

    # What rows are asked

    def _audit(self) -> dict[str, str]:
        return audit_values(self._batch.id, self._paths, self._loaded_at, SPARK)

    def _ask(self, reader: Reader, clean: Mapping[str, int]) -> dict[int, Sequence[int]]:
        """By file how many rows are left out, how many stop the feed, and how many fail each check of rows. The files
        are read once more for it, unless all their rows are clean and no check only warns."""
        all_clean = all(file.rejected or file.read == clean.get(file.file.shown, 0) for file in reader.files)
        if not asks(self._feed) or (all_clean and not warns(self._feed)):
            return {}
        rows = self._rows(reader, lambda _: Select(("_file", "_verdict", FLAGS)))
        if rows is None:
            return {}
        left = (f"count(CASE WHEN _verdict = '{verdict}' THEN 1 END)" for verdict in (Verdict.DROP, Verdict.FAIL))
        counts = ", ".join([*left, *row_counts(self._feed)])
        query = f"SELECT _file, {counts} FROM {{rows}} GROUP BY _file"
        with translated(f"feed {self._feed.name}"):
            return {index: figures for index, *figures in self._tables.spark.sql(query, rows=rows).collect()}

    def _checked(self, reader: Reader, asked: Mapping[int, Sequence[int]], *, twice: bool) -> Sequence[Checked]:
        """What came of the batch's checks. Raises PolicyError."""
        feed = self._feed
        if not feed.checks:
            return ()
        kept = [figures[2:] for index, figures in asked.items() if index not in self._refused]
        counts = [sum(each) for each in zip(*kept, strict=True)] or [0] * len(row_counts(feed))
        values = {column.name: SPARK.name(column.name) for column in feed.columns}
        items = [f"{sql} AS a{index}" for index, sql in enumerate(aggregates(feed, self._audit() | values, SPARK))]
        found: Sequence[Any] = ()
        if items:
            clear = self._clean(reader, once=twice, clear=True)
            with translated(f"feed {feed.name}"):
                found = tuple(clear.selectExpr(*items).collect()[0])
        return required(feed, outcomes(feed, counts, found), lambda check: self._samples(reader, check))

    def _samples(self, reader: Reader, check: Check) -> list[str]:
        feed, names = self._feed, sample_columns(self._feed, check)
        by_name = {column.name: f"v{index}" for index, column in enumerate(feed.columns)}
        texts = (f"{SPARK.as_text(by_name[name])} AS s{index}" for index, name in enumerate(names))
        rows = self._rows(reader, lambda _: Select(("_file", "_line", *texts), failing(feed, check)))
        with translated(f"feed {feed.name}"):
            found = rows.orderBy("_file", "_line").limit(SAMPLES).collect()
        return [sample(self._pieces[index].source.file.shown, names, values) for index, _, *values in found]

    # Bad rows

    def _figures(self, reader: Reader, clean: Mapping[str, int], asked: Mapping[int, Sequence[int]]) -> list[Figures]:
        filtered = [asked[file.index][0] if file.index in asked else 0 for file in reader.files]
        stopping = [asked[file.index][1] if file.index in asked else 0 for file in reader.files]
        left = zip(reader.files, filtered, stopping, strict=True)
        bad = [file.read - clean.get(file.file.shown, 0) - out - stop for file, out, stop in left]
        unreadable = [file.rejected for file in reader.files]
        some = any(count for count, why in zip(bad, unreadable, strict=True) if why is None)
        reasons = self._reasons(reader) if some else {}
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
            for file, count, out in zip(reader.files, bad, filtered, strict=True)
        ]

    def _reasons(self, reader: Reader) -> dict[int, tuple[Reason, ...]]:
        """The most frequent reasons by file."""
        query = reason_counts("{bad}", "_line", SPARK)
        with translated(f"feed {self._feed.name}"):
            counted = self._tables.spark.sql(query, bad=self._bad(reader)).collect()
        found: dict[int, list[Reason]] = {}
        for index, code, column, rows, line, value, message in counted:
            found.setdefault(index, []).append(Reason(code, column, rows, value, line, message))
        return {index: most_frequent(reasons) for index, reasons in found.items()}

    def _by_position(self, clean: Mapping[str, int], kept: Mapping[str, int]) -> tuple[list[int], list[int]]:
        """How many rows of each file stay, and how many another row of their key beats."""
        beaten = [clean.get(path, 0) - kept.get(path, 0) for path in self._paths]
        return [kept.get(path, 0) for path in self._paths], beaten

    def _quarantine(self, reader: Reader, manifest: Manifest) -> None:
        """Append the bad rows, once, and check that they are all there."""
        feed, table = self._feed, self._feed.quarantine.table
        select = quarantined(feed, self._batch.id, self._paths, manifest.staged_at, SPARK)
        self._tables.append(table, applied(self._bad(reader), [select]), manifest, files=True)
        batch = f"_feed = {SPARK.text(feed.name)} AND _batch_id = {SPARK.text(self._batch.id)}"
        query = f"SELECT count(*) FROM {self._tables.reference(table)} WHERE {batch}"
        ((count,),) = self._tables.sql(table, query)
        conserved(feed, "quarantined", manifest.rows.quarantined, count)


def applied(data: Any, selects: Iterable[Select]) -> Any:
    """The steps of a query over a DataFrame."""
    for select in selects:
        data = (data if select.where is None else data.where(select.where)).selectExpr(*select.items)
    return data
