"""JSON files whose lines Spark hands to executors, many tasks to a file, where the law's reader takes each for itself.

Whether every line is a record whatever stands around it is told while the rows are written; the files of which it is
not so are read by the law once more, each from its beginning to its end. So are files that, further on, have keys which
a column wants and their beginning does not have. The lines are numbered by a second look, for which bad rows ask.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from framework.engines.executors import FACT, Task, read_json_lines
from framework.engines.spark import lines as csv_lines
from framework.engines.spark.away import Executors, frame_columns
from framework.engines.spark.encodings_sql import is_utf8
from framework.engines.spark.files import FileRead, Frame
from framework.engines.spark.lines import PLAIN_PATH, file_of, offsets
from framework.errors import LandfeedError
from framework.feed import Feed
from framework.law.layout import Layout, json_layout
from framework.law.records.json_lines import by_lines
from framework.opening import Compression, SourceFile

__all__ = ["JsonLineFiles"]


class JsonLineFiles:
    """Files of one layout; `frame` has their records, None where there are none."""

    @staticmethod
    def can_read(feed: Feed, source: SourceFile) -> bool:
        """Whether lines may be records, as far as can be told without looking at every one."""
        path = source.file.path
        if source.file.size < csv_lines.LINES_FROM or not by_lines(feed) or not PLAIN_PATH.fullmatch(path):
            return False
        if not is_utf8(feed.source.encodings[0]) or Compression.of(path) is not Compression.NONE:
            return False
        return not source.beginning(8).lstrip().startswith(b"[")

    @staticmethod
    def example(feed: Feed, layout: Layout) -> str:
        """See `Lines.example`: the law reads them."""
        del feed, layout
        return "records"

    def __init__(self, spark: Any, executors: Executors, feed: Feed, layout: Layout, files: Sequence[FileRead]) -> None:
        from pyspark.sql import Observation, functions

        self._executors, self._feed, self._layout, self.files = executors, feed, layout, files
        paths = {file.piece.source.in_place: str(file.index) for file in files}
        self._lines = spark.read.text(list(paths)).selectExpr(
            f"{file_of(paths)} AS _file",
            "_metadata.file_block_start AS _start",
            "monotonically_increasing_id() AS _id",
            "CAST(value AS binary) AS value",
        )
        self._seen, self._settled = Observation(), False
        observed = self._records("_id").observe(self._seen, functions.collect_list(FACT).alias("facts"))
        self.frame: Frame | None = self._framed(observed)

    def _records(self, number: str) -> Any:
        """The records of the lines, each with its line's number, and rows with what came of them."""
        pieces = {file.index: file.bare_piece() for file in self.files}
        task = Task(self._feed, {}, tuple(pieces), pieces=pieces, layout=replace(self._layout, others=()))
        lines = self._lines.selectExpr("_file", "_start", f"{number} AS _line", "value")
        if self._settled:
            lines = lines.where(f"_file IN ({', '.join(map(str, pieces))})")
        return self._executors.worked(lines, read_json_lines, task, frame_columns(self._feed, self._layout))

    def _framed(self, records: Any) -> Frame:
        return Frame(self._layout, records.where(f"{FACT} IS NULL").drop(FACT))

    def settle(self, clean: Mapping[str, int]) -> tuple[bool, set[int]]:
        """See `Lines.settle`."""
        if self._settled:
            return False, set()
        facts = self._facts()
        odd = {file.index for file in self.files if not self._take_in(file, facts[file.index])}
        self._settled, self.files = True, [file for file in self.files if file.index not in odd]
        all_clean = all(file.read == clean.get(file.file.shown, 0) for file in self.files)
        if not self.files:
            self.frame = None
        elif odd or not all_clean:
            number = "_id" if all_clean else f"_id + {offsets(self._lines, [file.index for file in self.files])}"
            self.frame = self._framed(self._records(number))
        return bool(odd), odd

    def _facts(self) -> dict[int, list[dict[str, Any]]]:
        found: dict[int, list[dict[str, Any]]] = {file.index: [] for file in self.files}
        for fact in map(json.loads, self._seen.get["facts"]):
            found[fact["file"]].append(fact)
        if lost := [file.file.path for file in self.files if not found[file.index]]:
            raise LandfeedError(f"Spark read nothing of {lost[0]}", "run again", code="engine")
        return found

    def _take_in(self, file: FileRead, facts: Sequence[Mapping[str, Any]]) -> bool:
        """Take in what came of a file's lines. Whether they are its records, and its layout is what it seemed."""
        file.read = sum(fact["read"] for fact in facts)
        first: dict[str, list[int]] = {}
        for fact in facts:
            for name, place in fact["new"].items():
                first[name] = min(place, first.get(name, place))
        if any(fact["odd"] for fact in facts):
            return False
        if not first:
            return True
        layout = file.layout
        names = [*layout.names, *layout.others, *sorted(first, key=lambda name: first[name])]
        whole = json_layout(self._feed, names)
        if whole != layout:
            return False
        file.piece = replace(file.piece, layout=whole)
        return True
