"""Staging: records become rows, which overwrite staging; then the batch is sealed.

Spark has no commit that waits until its rows are counted, and reading twice to count first would cost
as much again. So the rows are written first, the figures are taken from what was written, and a commit
without rows gives them to the table with the batch's transaction. Until that seal the rows belong to
nobody: a process that dies before it leaves a staging table that the next one overwrites.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from framework.batch import FileOutcome, Manifest
from framework.engine import Seal, SourceFile
from framework.engines.spark.files import FileRead
from framework.engines.spark.reading import Reader
from framework.engines.spark.sql import bad, by_file, errors, rows, texts_of
from framework.engines.spark.tables import SparkTables
from framework.errors import Conflict, LandfeedError, PolicyError
from framework.feed import OnExceed
from framework.law.change import OneRow
from framework.law.dialects import SPARK
from framework.law.limits import exceeded
from framework.law.merging import survivor_order
from framework.names import AUDIT_COLUMNS, Rows
from framework.steps import Stage, TableColumn
from framework.types import Scalar

__all__ = ["Staging", "moment"]

_SOURCE, _BATCH, _LOADED = AUDIT_COLUMNS


class Staging:
    """Stages one batch."""

    def __init__(self, tables: SparkTables, step: Stage, sources: Sequence[SourceFile], loaded_at: datetime) -> None:
        self._tables, self._feed, self._batch = tables, step.feed, step.batch
        self._survivor = step.survivor
        self._sources, self._loaded_at = sources, loaded_at
        self._staging = step.feed.target.staging
        self._writes = self._empty_writes = 0

    def stage(self, seal: Seal) -> tuple[Manifest, int]:
        """See `Engine.stage`."""
        feed, before = self._feed, self._tables.prepare_staging(self._staging, self._columns())
        reader = Reader(self._tables.spark, feed, self._sources)
        clean, keys = self._write(reader)
        if reader.look_again(clean):
            clean, keys = self._write(reader)
        if self._apply_limits(reader.files, clean):
            clean, keys = self._write(reader)
        staged = clean
        if sum(clean.values()) > keys:
            staged, _ = self._write(reader, once=True)
        manifest = seal(_outcomes(reader.files, clean, staged))
        if manifest.rows.quarantined:
            self._quarantine(reader, manifest)
        self._tables.seal(self._staging, manifest, files=True)
        version = self._tables.version(self._staging)
        if not self._are_ours(version, before):
            raise Conflict(f"another runner staged feed {feed.name} at the same time")
        return manifest, version

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
        if isinstance(self._survivor, OneRow):
            by_key = f"SELECT count(*) AS number FROM {reference} GROUP BY {SPARK.names(self._survivor.keys)}"
        if len(self._sources) == 1:  # one look at staging is enough
            query = f"SELECT coalesce(sum(number), 0), count(*) FROM ({by_key})"
            ((number, different),) = self._tables.sql(self._staging, query)
            return {self._sources[0].file.shown: number}, different
        by_file = f"SELECT {_SOURCE} AS file, count(*) AS number FROM {reference} GROUP BY {_SOURCE}"
        listed = f"SELECT collect_list(struct(file, number)) FROM ({by_file})"
        query = f"SELECT ({listed}), (SELECT count(*) FROM ({by_key}))"
        ((counted, different),) = self._tables.sql(self._staging, query)
        return {row["file"]: row["number"] for row in counted}, different

    def _clean(self, reader: Reader, *, once: bool) -> Any:
        """The rows for staging."""
        named = [f"v{index} AS {SPARK.name(column.name)}" for index, column in enumerate(self._feed.columns)]
        audit = [
            f"{by_file([source.file.shown for source in self._sources])} AS {_SOURCE}",
            f"{SPARK.text(self._batch.id)} AS {_BATCH}",
            f"{moment(self._loaded_at)} AS {_LOADED}",
        ]
        clean = self._rows(reader, clean=True)
        if clean is None:
            empty = [f"CAST(NULL AS {SPARK.type(c.type)}) AS v{index}" for index, c in enumerate(self._feed.columns)]
            clean = self._tables.spark.range(0).selectExpr("0 AS _file", "0L AS _block", "0L AS _line", *empty)
        if once and isinstance(self._survivor, OneRow):
            order = survivor_order(self._survivor, ("_file", "_block", "_line"), SPARK)
            rank = f"row_number() OVER (PARTITION BY {SPARK.names(self._survivor.keys)} ORDER BY {order}) AS _rank"
            clean = clean.selectExpr("*", *named).selectExpr("*", rank).where("_rank = 1")
            named = [SPARK.name(column.name) for column in self._feed.columns]
        return clean.selectExpr(*named, *audit)

    def _rows(self, reader: Reader, *, clean: bool) -> Any:
        """The clean rows of all frames (`_file`, `_block`, `_line`, v0, v1, …) or the bad ones (`_file`, `_line`,
        `_record`, `_errors`), without those of rejected files; None for no frame."""
        feed = self._feed
        rejected = ", ".join(str(file.index) for file in reader.files if file.rejected is not None)
        condition = ("NOT _bad" if clean else "_bad") + (f" AND _file NOT IN ({rejected})" if rejected else "")
        found = None
        for frame in reader.frames:
            texts = texts_of(feed, frame.layout, self._sources)
            named = [f"{texts[c.name]} AS t{index}" for index, c in enumerate(feed.columns) if c.name in texts]
            # What is filtered by the values must not make Spark compute them twice, once for the filter:
            # it moves no filter below a column that differs each time.
            once = "monotonically_increasing_id() AS _once"
            data = frame.data.selectExpr("*", *named).selectExpr("*", *rows(feed, list(texts)), once)
            data = data.selectExpr("*", f"{bad(feed, list(texts))} AND _once >= 0 AS _bad").where(condition)
            if clean:
                some = data.selectExpr("_file", "_block", "_line", *(f"v{index}" for index in range(len(feed.columns))))
            else:
                some = data.selectExpr("_file", "_line", "_record", f"{errors(feed, list(texts))} AS _errors")
            found = some if found is None else found.unionByName(some)
        return found

    # Bad rows

    def _apply_limits(self, files: Sequence[FileRead], clean: dict[str, int]) -> bool:
        """Reject files with too many bad rows; whether there are any."""
        feed, found = self._feed, False
        for file in files:
            path = file.source.file.shown
            reason = exceeded(feed.quarantine, file.read, file.read - clean.get(path, 0))
            if file.rejected is None and reason is not None:
                if feed.quarantine.on_exceed is OnExceed.FAIL:
                    raise PolicyError(
                        f"feed {feed.name}, file {path}: {reason}",
                        "nothing was loaded; mend the file, or raise the limits under `quarantine`",
                    )
                file.rejected, found = reason, True
        return found

    def _quarantine(self, reader: Reader, manifest: Manifest) -> None:
        """Append the bad rows, once, and check that they are all there."""
        feed, table = self._feed, self._feed.quarantine.table
        bad_rows = self._rows(reader, clean=False).selectExpr(
            f"{SPARK.text(feed.name)} AS _feed",
            f"{SPARK.text(self._batch.id)} AS _batch_id",
            f"{by_file([source.file.shown for source in self._sources])} AS _source_file",
            "CAST(_line AS bigint) AS _line",
            "_record",
            "_errors",
            f"{moment(manifest.staged_at)} AS _quarantined_at",
        )
        self._tables.append(table, bad_rows, manifest, files=True)
        batch = f"_feed = {SPARK.text(feed.name)} AND _batch_id = {SPARK.text(self._batch.id)}"
        query = f"SELECT count(*) FROM {self._tables.reference(table)} WHERE {batch}"
        ((count,),) = self._tables.sql(table, query)
        if count != manifest.rows.quarantined:
            raise LandfeedError(
                f"feed {feed.name}: {manifest.rows.quarantined} rows were to be quarantined and {count} were",
                "a file may have changed while it was being read: run again",
                code="conservation",
            )


def _outcomes(files: Sequence[FileRead], clean: dict[str, int], staged: dict[str, int]) -> list[FileOutcome]:
    outcomes = []
    for file in files:
        path = file.source.file.shown
        if file.rejected is not None:
            outcomes.append(FileOutcome(file.source.file, rejected=file.rejected))
            continue
        good, kept = clean.get(path, 0), staged.get(path, 0)
        figures = Rows(read=file.read, staged=kept, quarantined=file.read - good, deduplicated=good - kept)
        outcomes.append(FileOutcome(file.source.file, figures))
    return outcomes


def moment(moment: datetime) -> str:
    """SQL of an instant."""
    return f"TIMESTAMP '{moment.isoformat(sep=' ')}'"
