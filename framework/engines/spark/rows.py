"""The rows that Spark makes of the records of a batch's files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from framework.engines.spark.away import Executors
from framework.engines.spark.reading import Reader
from framework.engines.spark.sql import row_query
from framework.engines.spark.tables import SparkTables
from framework.feed import Reference
from framework.law.dialects import SPARK
from framework.law.ranking import ranked
from framework.law.references import allowed, references
from framework.law.selects import Select
from framework.law.staging import BAD, BLOCK, FILE, KEPT, KIND, ROW, RowQuery, audit_values, staged
from framework.law.survivors import AllRows
from framework.opening import Piece
from framework.steps import Stage

__all__ = ["BatchRows", "applied"]


class BatchRows:
    """The rows of one batch, which are made of the files again each time that something is asked of them."""

    def __init__(
        self,
        tables: SparkTables,
        executors: Executors,
        step: Stage,
        pieces: Sequence[Piece],
        loaded_at: datetime,
    ) -> None:
        spark = tables.spark
        self._spark, self._feed, self._batch, self._survivor = spark, step.feed, step.batch, step.survivor
        self._pieces, self._loaded_at = pieces, loaded_at
        self._paths = [piece.source.file.shown for piece in pieces]
        self.reader = Reader(spark, step.feed, pieces, executors)
        self.refused: tuple[int, ...] = ()
        """The positions of files that are rejected for their rows."""
        self._known = {reference: _known(tables, reference) for _, reference in references(step.feed)}

    def audit(self) -> dict[str, str]:
        """SQL of the audit columns' values."""
        return audit_values(self._batch.id, self._paths, self._loaded_at, SPARK)

    def clean(self, *, once: bool, clear: bool = False) -> Any:
        """The rows for staging (of each key only the one that counts, with `once`); with `clear` before anything of
        them is masked."""
        feed = self._feed
        clean = self._kept()
        if not once or isinstance(self._survivor, AllRows):
            return applied(clean, [staged(feed, self._batch.id, self._paths, self._loaded_at, SPARK, clear=clear)])
        place = {FILE: "_file", BLOCK: "_block", ROW: "_line"}
        selects, rank = ranked(feed, self._survivor, place, SPARK)
        names, position = [SPARK.name(column.name) for column in feed.columns], SPARK.name(FILE)
        kind = SPARK.name(KIND) if feed.target.deletes else None
        batch = (self._batch.id, self._paths, self._loaded_at, SPARK)
        last = staged(feed, *batch, values=names, kind=kind, position=position, clear=clear)
        return applied(clean, [*selects, replace(last, where=f"{rank} = 1")])

    def _kept(self) -> Any:
        """The clean rows of all frames: `_file`, `_block`, `_line`, v0, v1, …"""
        values = [f"v{index}" for index, _ in enumerate(self._feed.columns)]
        kept = self.of(lambda _: Select(("_file", "_block", "_line", *values), KEPT))
        if kept is not None:
            return kept
        empty = [f"{SPARK.null(column.type)} AS v{index}" for index, column in enumerate(self._feed.columns)]
        return self._spark.range(0).selectExpr("0 AS _file", "0L AS _block", "0L AS _line", *empty)

    def bad(self) -> Any:
        """The bad rows of all frames: `_file`, `_line`, `_record`, `_errors`; None for no frame."""
        return self.of(lambda rows: Select(("_file", "_line", "_record", f"{rows.errors()} AS _errors"), BAD))

    def of(self, last: Callable[[RowQuery], Select]) -> Any:
        """What the last step leaves of the rows of all frames, without those of rejected files; None for no frame."""
        files = [piece.source.file for piece in self._pieces]
        found = None
        for frame in self.reader.frames:
            rows = row_query(self._feed, frame.layout, files, self.audit(), self._known)
            select = last(rows)
            if self.refused:
                but = f"_file NOT IN ({', '.join(map(str, self.refused))})"
                select = replace(select, where=f"{select.where} AND {but}" if select.where else but)
            some = applied(frame.data, [*rows.selects(), select])
            found = some if found is None else found.unionByName(some)
        return found


def _known(tables: SparkTables, reference: Reference) -> str:
    """The values that a reference allows, of the table as it is now, although it will be asked more than once."""
    table = reference.table
    return f"({allowed(reference, tables.reference(table, tables.version(table)), SPARK)})"


def applied(data: Any, selects: Iterable[Select]) -> Any:
    """The steps of a query over a DataFrame."""
    for select in selects:
        data = (data if select.where is None else data.where(select.where)).selectExpr(*select.items)
    return data
