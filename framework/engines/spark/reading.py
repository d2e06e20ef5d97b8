"""Reading: the batch's files become DataFrames of records, from which rows are made by SQL.

Large files for which there is a fast reader (`FAST`) are taken apart by their lines, in parallel; all others are read
by `framework.law.records`, each in one task on an executor (`away`). Only files of a batch that is so small that a job
of Spark costs more than it saves are read on the driver, and handed to Spark as Arrow tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from framework.engines.arrow_records import file_batches, record_schema
from framework.engines.spark.away import Away, Executors
from framework.engines.spark.files import FileRead, Frame
from framework.engines.spark.json_lines import JsonLineFiles
from framework.engines.spark.lines import Lines
from framework.feed import Feed, Format
from framework.law.layout import Layout
from framework.opening import BROKEN_FILE, Piece, grouped, unreadable

__all__ = ["FAST", "Reader"]

FAST: dict[Format, type[Lines | JsonLineFiles]] = {Format.CSV: Lines, Format.JSON: JsonLineFiles}
"""Readers that take large files apart by their lines, in parallel. What they cannot read, or turn out to have read
otherwise than the law, the law reads."""


class Reader:
    """Reads one batch. `files` tells how each was read, and `frames` has their records: by a first look until
    `look_again`."""

    def __init__(self, spark: Any, feed: Feed, pieces: Sequence[Piece], executors: Executors) -> None:
        self._spark, self._feed, self._executors = spark, feed, executors
        self.files = [FileRead(piece) for piece in pieces]
        fast = FAST.get(feed.source.format)
        groups = self._by_layout(file for file in self.files if file.piece.in_place)
        self._lines = [] if fast is None else [fast(spark, executors, feed, group[0].layout, group) for group in groups]
        self._away: list[Away] = []
        self._by_the_law: list[Frame] = []
        self._read([file for file in self.files if not file.piece.in_place])

    def _read(self, files: Sequence[FileRead]) -> None:
        """Let the law read files, each where it was opened."""
        for group in self._by_layout(file for file in files if file.piece.away):
            self._away.append(Away(self._executors, self._feed, group[0].layout, group))
        for group in self._by_layout(file for file in files if not file.piece.away):
            self._read_by_the_law(group[0].layout, group)

    def _by_layout(self, files: Iterable[FileRead]) -> list[list[FileRead]]:
        return grouped((file for file in files if file.rejected is None), lambda file: file.layout)

    @property
    def frames(self) -> list[Frame]:
        ways = [*(lines.frame for lines in self._lines), *(away.frame for away in self._away)]
        return [frame for frame in (*ways, *self._by_the_law) if frame is not None]

    def look_again(self, clean: Mapping[str, int]) -> bool:
        """Look again at files of which the first look, whose clean rows (their number by file) have been written,
        could not tell all. Whether there are rows among them that it did not give, or gave wrongly; then they are to be
        written again, and this to be called again."""
        otherwise, odd = False, set[int]()
        for away in self._away:
            otherwise = away.settle() or otherwise
        for lines in self._lines:
            others, its = lines.settle(clean)
            otherwise, odd = otherwise or others, odd | its
        self._open_again([self.files[index] for index in sorted(odd)])
        return otherwise

    def _open_again(self, files: Sequence[FileRead]) -> None:
        """Read files by the law for which Spark's own way did not hold."""
        sources = {file.index: file.piece.source for file in files}
        size = sum(file.piece.source.file.size for file in self.files)
        away = self._executors.open(self._feed, sources, size) if sources else {}
        for file in files:
            file.read = 0
            if file.index in away:
                file.open_as(*away[file.index])
            else:
                file.open_by_the_law(self._feed)
        self._read(files)

    def _read_by_the_law(self, layout: Layout, files: Sequence[FileRead]) -> None:
        import pyarrow as pa

        schema = record_schema(self._feed, layout)
        batches = []
        for file in files:
            its = []
            try:
                for batch in file_batches(file, self._feed, schema):
                    file.read += batch.num_rows
                    its.append(batch)
            except BROKEN_FILE as error:
                file.rejected = unreadable(error)
            else:
                batches += its
        if batches:
            self._by_the_law.append(Frame(layout, self._spark.createDataFrame(pa.Table.from_batches(batches, schema))))
